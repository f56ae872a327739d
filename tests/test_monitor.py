"""Monitor: what the server executes, line by line, over a connection that no other call is given."""

import threading
from time import monotonic, sleep

import pytest

import redis
from redis.monitor import parse_line
from tests.faults.fakenode import FakeNode, raw
from tests.servers import ask, standalone, until

LINE = '1339518083.107412 [{}] "get" "k"'


@pytest.fixture
def client(make_client, transport):
    return make_client(**transport.options)


def wait_for(monitor, command):
    """The entry of a command, whatever others were executed before."""
    for _ in range(100):
        entry = monitor.next_command()
        if entry["command"] == command:
            return entry
    raise AssertionError(f"{command} was never seen")


# A line.


@pytest.mark.parametrize(
    ("client", "address", "port", "kind"),
    [
        ("0 127.0.0.1:60866", "127.0.0.1", "60866", "tcp"),
        ("0 [::1]:60866", "::1", "60866", "tcp"),
        ("0 [fe80::1%eth0]:60866", "fe80::1%eth0", "60866", "tcp"),
        ("0 unix:/tmp/redis.sock", "unix", "/tmp/redis.sock", "unix"),
        ("0 unix:/tmp/a b]c/redis.sock", "unix", "/tmp/a b]c/redis.sock", "unix"),
        ("0 lua", "", "", "lua"),
    ],
)
def test_who_the_client_is(client, address, port, kind):
    assert parse_line(LINE.format(client)) == {
        "time": 1339518083.107412,
        "db": 0,
        "client_address": address,
        "client_port": port,
        "client_type": kind,
        "command": "get k",
    }


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ('"ping"', "ping"),
        ('"set" "k" ""', "set k "),
        (r'"set" "k" "say \"hello\""', 'set k say "hello"'),
        (r'"set" "k" "\"" "\"\""', 'set k " ""'),
        (r'"set" "k" "back\\slash\\"', r"set k back\\slash\\"),
        (r'"set" "k" "\\\" \\"', r'set k \\" \\'),
        ('"set" "[k] " "[0 lua] \'x\'"', "set [k]  [0 lua] 'x'"),
        (r'"set" "k" "] \"" "] "', 'set k ] " ] '),
        (r'"set" "k" "\x00\xff\n\r\t"', r"set k \x00\xff\n\r\t"),
    ],
)
def test_what_the_command_is(words, command):
    entry = parse_line(f"1339518083.107412 [12 127.0.0.1:60866] {words}")
    assert (entry["command"], entry["db"], entry["client_port"]) == (command, 12, "60866")


@pytest.mark.parametrize("line", ["", "OK", '1.5 [0 lua] get "k"', 'x [0 lua] "get"', "1.5 [0 lua]"])
def test_what_is_no_line(line):
    with pytest.raises(redis.InvalidResponse, match="no line of MONITOR"):
        parse_line(line)


# A server.


def test_commands_as_the_server_tells_them(server, make_client, kind):
    client = make_client(**kind.options)
    values = ["plain", 'say "hello"', '[0 lua] x] "', "back\\slash", "", "a b  c", b"\x00\xff\r\n", "un\u4e2d"]
    with client.monitor() as monitor:
        for value in values:
            client.set("k", value)
        told = [wait_for(monitor, f"SET k {escaped(value)}") for value in values]
    assert {entry["db"] for entry in told} == {0}
    assert {(entry["client_address"], entry["client_type"]) for entry in told} == {("127.0.0.1", "tcp")}
    assert abs(told[0]["time"] - float(ask(server, "TIME")[0])) < 60


def escaped(value):
    """What the server writes for a value, a quote aside."""
    value = value if isinstance(value, bytes) else value.encode()
    named = {ord("\\"): r"\\", 13: r"\r", 10: r"\n"}
    return "".join(named.get(byte, chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in value)


def test_clients_of_all_kinds(client, transport, make_client):
    other = make_client(**transport.options, db=9)
    with client.monitor() as monitor:
        other.set("k", "v")
        entry = wait_for(monitor, "SET k v")
    assert entry["db"] == 9
    if transport.name == "unix":
        assert (entry["client_type"], entry["client_address"]) == ("unix", "unix")
        assert entry["client_port"] == transport.server.unix_socket
    else:
        assert (entry["client_type"], entry["client_address"]) == ("tcp", "127.0.0.1")


def test_a_script(client, transport):
    with client.monitor() as monitor:
        ask(transport.server, "EVAL", "return redis.call('GET', KEYS[1])", 1, "k")
        entry = wait_for(monitor, "GET k")
    assert (entry["client_type"], entry["client_address"], entry["client_port"]) == ("lua", "", "")


def test_ipv6(make_client):
    with standalone(config={"bind": "127.0.0.1 -::1"}) as own:
        client = make_client(host="::1", port=own.port)
        try:
            client.ping()
        except redis.ConnectionError:
            pytest.skip("this machine has no IPv6")
        with client.monitor() as monitor:
            client.get("k")
            entry = wait_for(monitor, "GET k")
    assert (entry["client_type"], entry["client_address"]) == ("tcp", "::1")
    assert entry["client_port"].isdigit()


def test_listen(client, transport):
    with client.monitor() as monitor:
        for number in range(3):
            ask(transport.server, "ECHO", number)
        commands = []
        for entry in monitor.listen():
            commands.append(entry["command"])
            if entry["command"] == "ECHO 2":
                break
    assert [command for command in commands if command.startswith("ECHO")] == ["ECHO 0", "ECHO 1", "ECHO 2"]


def test_it_waits_longer_than_any_time_out(make_client, transport):
    client = make_client(**transport.options, socket_timeout=0.05)
    with client.monitor() as monitor:
        timer = threading.Timer(0.3, ask, (transport.server, "ECHO", "at last"))
        start = monotonic()
        timer.start()
        wait_for(monitor, "ECHO at last")
        assert monotonic() - start > 0.25
        timer.join()


# Its connection.


def monitors(server):
    return ask(server, "CLIENT", "LIST").count(b"cmd=monitor")


def test_closed_at_the_end_and_used_by_nobody_else(client, transport):
    client.ping()
    with client.monitor() as monitor:
        connection = monitor.connection
        assert monitors(transport.server) == 1
        assert client.echo("x") == b"x"
    assert connection._sock is None
    until(lambda: monitors(transport.server) == 0)
    assert [client.echo(f"{number}") for number in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


def test_closed_when_the_block_raises(client, transport):
    with pytest.raises(ZeroDivisionError), client.monitor():
        raise ZeroDivisionError
    until(lambda: monitors(transport.server) == 0)


def test_a_place_in_the_pool_comes_back(make_client):
    client = make_client(max_connections=1)
    for _ in range(3):
        with client.monitor(), pytest.raises(redis.ConnectionError, match="Too many"):
            client.ping()
        assert client.ping() is True


def test_refused(server, make_client):
    ask(server, "ACL", "SETUSER", "blind", "on", ">secret", "+@all", "-monitor")
    try:
        client = make_client(username="blind", password="secret", max_connections=1)
        monitor = client.monitor()
        with pytest.raises(redis.exceptions.NoPermissionError), monitor:
            raise AssertionError("the block is not entered")
        assert client.ping() is True
    finally:
        ask(server, "ACL", "DELUSER", "blind")


def test_outside_of_the_block(make_client):
    client = make_client()
    monitor = client.monitor()
    with pytest.raises(redis.RedisError, match="inside of its with block"):
        monitor.next_command()
    with monitor:
        pass
    with pytest.raises(redis.RedisError, match="inside of its with block"):
        next(monitor.listen())


def test_a_lost_connection_is_an_error_and_never_a_silent_new_one(client, transport):
    with client.monitor() as monitor:
        until(lambda: monitors(transport.server) == 1)
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises(redis.ConnectionError):
            wait_for(monitor, "never")
        with pytest.raises(redis.RedisError, match="until its connection is lost"):
            monitor.next_command()


def test_closed_by_another_thread(make_client):
    client = make_client()
    with client.monitor() as monitor:
        failures = []

        def listen():
            try:
                wait_for(monitor, "never")
            except redis.RedisError as error:
                failures.append(error)

        thread = threading.Thread(target=listen)
        thread.start()
        sleep(0.1)
        client.close()
        thread.join(5)
        assert not thread.is_alive()
        assert len(failures) == 1


def test_a_line_that_is_none(make_client):
    with FakeNode() as node:
        node.script("MONITOR", raw(b"+OK\r\n+who knows\r\n+" + LINE.format("0 lua").encode() + b"\r\n"))
        with make_client(port=node.port).monitor() as monitor:
            with pytest.raises(redis.InvalidResponse):
                monitor.next_command()
            assert monitor.next_command()["command"] == "get k"
