"""The commands on users: what comes back from a real server, and what every option sends."""

import hashlib

import pytest

from redis.exceptions import DataError, NoPermissionError, ResponseError
from tests.recorder import sent
from tests.servers import ask, standalone

SECRET = hashlib.sha256(b"secret").hexdigest()


@pytest.fixture(scope="module")
def with_file(tmp_path_factory):
    """A server that keeps its users in a file."""
    path = tmp_path_factory.mktemp("acl") / "users.acl"
    path.write_text("user default on nopass ~* &* +@all\n")
    with standalone(config={"aclfile": path}) as running:
        yield running


@pytest.fixture
def r(r, server):
    """A client of a server that has one user, and that has refused nothing."""
    ask(server, "ACL", "LOG", "RESET")
    yield r
    ask(server, "ACL", "DELUSER", "ann", "bob")


def test_users(r):
    assert r.acl_whoami() == "default"
    assert r.acl_users() == ["default"]
    assert r.acl_setuser("ann") is True
    assert r.acl_users() == ["ann", "default"]
    assert r.acl_list()[1].startswith("user default on nopass")
    assert r.acl_deluser("ann", "bob") == 1
    assert r.acl_getuser("ann") is None


def test_rules(r):
    assert r.acl_setuser(
        "ann",
        enabled=True,
        passwords="+secret",
        categories=["+@hash", "-set"],
        commands=["+get", "-hdel"],
        keys=["a*", "%R~b*"],
        channels="news",
        selectors=[("+set", "c*")],
        reset=True,
    )
    user = r.acl_getuser("ann")
    assert user["enabled"] is True
    assert user["flags"][0] == "on"
    assert user["passwords"] == [SECRET]
    assert user["commands"] == ["+get", "-hdel"]
    assert user["categories"] == ["-@all", "+@hash", "-@set"]
    assert user["keys"] == ["~a*", "%R~b*"]
    assert user["channels"] == ["&news"]
    assert {name: user["selectors"][0][name] for name in ("commands", "keys")} == {
        "commands": "-@all +set",
        "keys": "~c*",
    }
    assert r.acl_setuser("ann", passwords=["-secret", "+other"], reset_keys=True) is True
    user = r.acl_getuser("ann")
    assert (user["enabled"], user["keys"], len(user["passwords"])) == (False, [], 1)


def test_the_words_of_setuser():
    def words(**options):
        return sent(lambda client: client.acl_setuser("ann", **options))[2:]

    assert words() == (b"off",)
    assert words(enabled=True, nopass=True) == (b"on", b"nopass")
    assert words(reset=True, reset_keys=True, reset_channels=True, reset_passwords=True) == (
        *(b"reset", b"resetkeys", b"resetchannels", b"resetpass", b"off"),
    )
    assert words(passwords=["+a", b"-b"], hashed_passwords="+c") == (b"off", b">a", b"<b", b"#c")
    assert words(hashed_passwords=["-c"]) == (b"off", b"!c")
    assert words(categories=["+@a", "-b"], commands="+get") == (b"off", b"+@a", b"-@b", b"+get")
    assert words(keys=["a", "~b", "%R~c"], channels=["d", "&e"]) == (b"off", b"~a", b"~b", b"%R~c", b"&d", b"&e")
    assert words(selectors=[("+get", "a"), ("-set", ["%R~b", "c"])]) == (b"off", b"(+get ~a)", b"(-set %R~b ~c)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"passwords": "secret"}, "each of passwords begins with"),
        ({"hashed_passwords": ["secret"]}, "each of hashed_passwords begins with"),
        ({"categories": "all"}, "each of categories begins with"),
        ({"commands": "get"}, "each of commands begins with"),
        ({"selectors": ["+get a"]}, "each of selectors is a pair"),
        ({"selectors": [("get", "a")]}, "each of selectors begins with"),
        ({"nopass": True, "passwords": "+secret"}, "nopass excludes passwords"),
    ],
)
def test_rules_that_cannot_be_meant(options, message):
    with pytest.raises(DataError, match=message) as caught:
        sent(lambda client: client.acl_setuser("ann", **options))
    assert "secret" not in str(caught.value)


def test_dryrun(r):
    r.acl_setuser("ann", enabled=True, nopass=True, commands="+get", keys="a*")
    assert r.acl_dryrun("ann", "GET", "a") == "OK"
    assert "no permissions to run the 'set' command" in r.acl_dryrun("ann", "SET", "a", "b")
    with pytest.raises(ResponseError, match="not found"):
        r.acl_dryrun("nobody", "GET", "a")


def test_log(r, make_client, kind):
    r.acl_setuser("ann", enabled=True, passwords="+secret", commands=["+get", "+client"], keys="a*")
    assert r.acl_log() == []
    refused = make_client(username="ann", password="secret", client_name="me")
    for key in ("b", "b", "c"):
        with pytest.raises(NoPermissionError):
            refused.get(key)
    newest, older = r.acl_log()
    assert (newest["reason"], newest["object"], newest["username"], newest["count"]) == ("key", "c", "ann", 1)
    assert (older["object"], older["count"], older["client-info"]["name"]) == ("b", 2, "me")
    assert 0 <= newest["age-seconds"] < 10
    assert [entry["object"] for entry in r.acl_log(1)] == ["c"]
    assert r.acl_log_reset() is True
    assert r.acl_log() == []


def test_categories_and_help(r):
    assert "hyperloglog" in r.acl_cat()
    assert "pfadd" in r.acl_cat("hyperloglog")
    assert r.acl_help()[0].startswith("ACL <subcommand>")
    with pytest.raises(ResponseError, match="Unknown category"):
        r.acl_cat("none")


def test_passwords(r):
    assert len(r.acl_genpass()) == 64
    assert len(r.acl_genpass(20)) == 5
    assert int(r.acl_genpass(), 16) > 0


def test_the_file(make_client, kind, with_file, r):
    with pytest.raises(ResponseError, match="not configured to use an ACL file"):
        r.acl_save()
    r = make_client(host=with_file.host, port=with_file.port, **kind.options)
    r.acl_setuser("ann")
    assert r.acl_save() is True
    r.acl_deluser("ann")
    assert r.acl_load() is True
    assert r.acl_users() == ["ann", "default"]
    r.acl_deluser("ann")
    assert r.acl_save() is True
