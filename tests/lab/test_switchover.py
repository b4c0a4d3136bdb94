"""pyvrrpctl moves a real database while a client writes: nothing is lost, and what cannot be done is not begun."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.lab.agents import PYVRRPCTL, Program
from tests.lab.duo import Duo
from tests.lab.site import Site
from tests.waiting import until

pytestmark = pytest.mark.lab


@pytest.fixture
def duo(site: Site, tmp_path: Path) -> Duo:
    return Duo(site, tmp_path)


def test_it_is_recorded_and_replays(duo: Duo, tmp_path: Path) -> None:
    """From a moment in the middle, on both nodes: what was told and decided, and no password."""
    assert duo.a.agent is not None
    assert duo.b.agent is not None
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    recorders = [
        subprocess.Popen([PYVRRPCTL, "--socket", str(agent.socket), "record", "-o", str(file), "-s", "4"])
        for agent, file in zip((duo.a.agent, duo.b.agent), files, strict=True)
    ]
    assert until(lambda: all(file.exists() and file.read_bytes() for file in files), 10)
    assert duo.a.order("switchover").returncode == 0
    for recorder, file in zip(recorders, files, strict=True):
        assert recorder.wait(30) == 0
        replayed = subprocess.run([PYVRRPCTL, "replay", str(file)], capture_output=True, text=True, check=False)
        assert replayed.returncode == 0, replayed
        assert b"hush" not in file.read_bytes()
    assert b'"Relinquish"' in files[0].read_bytes()
    assert b'"Invited"' in files[1].read_bytes()


def test_there_and_back_again(duo: Duo) -> None:
    a, b = duo.a, duo.b
    with duo.client() as client:
        planned = a.order("switchover", "--dry-run")
        assert planned.returncode == 0, planned
        assert "nothing was done" in planned.stdout
        assert a.serves
        there = b.order("switchover", "--to", "node-b", "--json")  # the standby has the active one do it
        assert there.returncode == 0, there
        figures = json.loads(there.stdout)["figures"]
        assert figures["active"] == "node-b"
        assert 0 < figures["write_gap_ms"] <= figures["write_gap_here_ms"] < 2000
        assert until(lambda: b.serves and not a.host.holds())
        assert a.value("@@global.read_only") == 1
        assert until(lambda: duo.ready(a), 20), a.database()
        back = b.order("switchover")
        assert back.returncode == 0, back
        assert "node-a has exactly that" in back.stdout
        assert until(lambda: a.serves)
    assert not client.lost(a)
    assert client.gap < 2.0


def test_by_file_and_position_there_a_crash_and_back(site: Site, tmp_path: Path) -> None:
    """As two servers are that were set up without GTIDs: a crash and the return, too, are nobody's work."""
    duo = Duo(site, tmp_path, by_place=True)
    a, b = duo.a, duo.b
    with duo.client() as client:
        there = a.order("switchover")
        assert there.returncode == 0, there
        assert "node-b has exactly that" in there.stdout
        assert until(lambda: b.serves and duo.ready(a), 20), a.database()
        back = a.order("switchover")
        assert back.returncode == 0, back
        assert until(lambda: a.serves and duo.ready(b), 20), b.database()
        secured = "show status where variable_name='Rpl_semi_sync_master_status' and value='ON'"
        assert until(lambda: a.run(secured), 20), "else the crash may lose something"
        assert a.mysqld is not None
        a.mysqld.kill()
        assert until(lambda: b.serves, 10), b.database()
        duo.start_server(a)
        assert until(a.answers, 30)
        assert a.order("acknowledge").returncode == 0
        assert until(lambda: duo.ready(a) or a.database()["view"]["errant"], 20), a.database()
        print(a.database())
        assert duo.ready(a), "half of a transaction may be there: then it is named"
        assert b.order("switchover").returncode == 0
        assert until(lambda: a.serves and duo.ready(b), 20), b.database()
    assert not client.lost(a)
    assert a.run("checksum table app.t, pyvrrp.heartbeat")[0] == b.run("checksum table app.t, pyvrrp.heartbeat")[0]


@pytest.mark.parametrize("what", ["agent", "server"])
def test_rolled_back_when_the_standby_falls_silent(duo: Duo, what: str) -> None:
    """It stands still from the moment that writes are closed: after every check, and before it has everything."""
    a, b = duo.a, duo.b
    assert b.agent is not None
    assert b.mysqld is not None
    victim: Program = b.agent if what == "agent" else b.mysqld
    with duo.client() as client:
        ordered = threading.Thread(target=lambda: outcomes.append(a.order("switchover")))
        outcomes: list[subprocess.CompletedProcess[str]] = []
        with a.watching() as closed:
            ordered.start()
            assert until(closed, 10)
            victim.send(signal.SIGSTOP)
        ordered.join()
        (outcome,) = outcomes
        assert outcome.returncode == 6, outcome
        assert "writes closed on node-a" in outcome.stdout
        assert "rolled back: writes are open on node-a again" in outcome.stdout
        assert "node-b did not get to" in outcome.stderr
        assert a.serves
        before = len(client.acknowledged)
        assert until(lambda: len(client.acknowledged) > before)
        victim.send(signal.SIGCONT)
    assert not client.lost(a)
    assert not b.host.holds()
    assert b.value("@@global.read_only") == 1


def test_drained_and_promoted(duo: Duo) -> None:
    a, b = duo.a, duo.b
    with duo.client() as client:
        drained = a.order("drain")
        assert drained.returncode == 0, drained
        assert until(lambda: b.serves)
        assert until(lambda: "drained" in a.database()["view"]["mode"])
        refused = b.order("switchover")
        assert refused.returncode == 6
        assert "it is drained" in refused.stderr
        beside = a.order("promote", "--force", "--yes")
        assert beside.returncode == 6
        assert f"{duo.site.b.address} is master and speaks" in beside.stderr
        assert until(lambda: not a.run("show slave status")[0]["Seconds_Behind_Master"], 20)
    # The other node is gone for good, and this one stays drained: only an order makes it active.
    assert b.agent is not None
    assert b.mysqld is not None
    b.agent.kill()
    b.mysqld.kill()
    assert b.host.loses()
    asked = a.order("promote", "--force")  # nobody says yes
    assert asked.returncode == 1
    assert "it is drained" in asked.stdout
    assert until(lambda: a.order("promote", "--force", "--yes").returncode == 0, 20)
    assert until(lambda: a.serves)
    print(client.lost(a))


def test_paused(duo: Duo) -> None:
    a, b = duo.a, duo.b
    assert b.order("pause").returncode == 0
    assert until(lambda: any("paused" in each for each in b.database()["against"]))
    assert b.order("resume").returncode == 0
    assert until(lambda: not b.database()["against"])
    assert a.order("acknowledge", "VI_1").returncode == 0
    assert a.order("pause", "VI_9").stderr == "pyvrrpctl: VI_9 has no database: say which one, VI_1\n"


def test_a_reload_changes_the_keeper_and_no_client_notices(duo: Duo) -> None:
    a = duo.a
    assert a.agent is not None
    node = json.loads(a.agent.config.read_text())
    node["mysql"]["VI_1"]["hold_down"] = 60
    with duo.client() as client:
        a.agent.config.write_text(json.dumps(node))
        reloaded = a.order("reload")
        assert reloaded.returncode == 0, reloaded
        before = len(client.acknowledged)
        assert until(lambda: len(client.acknowledged) > before + 100, 10)
        assert until(lambda: a.database()["view"]["writes"] == "open")
    assert client.gap < 0.3
    assert client.failures == 0
    assert a.serves
    assert [old for old, _ in a.agent.history()].count("MASTER") == 0
    assert a.order("switchover").returncode == 0


def test_where_silence_opens_nothing_the_agents_agree_who_goes_on(site: Site, tmp_path: Path) -> None:
    """A cable that is out for a moment, and a server that is started again: nobody has to be called for those."""
    duo = Duo(site, tmp_path, on_silence="hold")
    active = duo.active
    active.host.port("down")
    assert until(lambda: not active.host.holds(), 20)
    assert active.agent is not None
    assert until(lambda: active.agent is not None and active.agent.state(60) == "FAULT", 20)
    active.host.port("up")
    assert until(lambda: duo.a.serves or duo.b.serves, 30), (duo.a.database(), duo.b.database())
    active = duo.active
    standby = duo.other(active)
    assert until(lambda: duo.ready(standby), 30), standby.database()
    assert standby.order("drain").returncode == 0
    assert active.mysqld is not None
    active.mysqld.kill()
    assert until(lambda: not active.host.holds(), 20)
    duo.start_server(active)
    assert until(active.answers, 30)
    assert until(lambda: active.serves, 30), (active.database(), standby.database())
    assert not standby.host.holds()
