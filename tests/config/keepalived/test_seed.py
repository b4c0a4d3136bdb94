"""The keepalived.conf of a tutorial about two MySQL servers, letter for letter: it starts, says what is wrong with it,
and does what is meant.
"""

from __future__ import annotations

from pathlib import Path

from tests.config.keepalived.mapped import mapped

SEED = Path(__file__).parents[2] / "differential" / "corpus" / "seed.conf"
CHECK = "[192.168.1.201]:3306/TCP_CHECK"


def test_the_tutorial_s_file(tmp_path: Path) -> None:
    found = mapped(tmp_path, SEED.read_text(encoding="utf-8"))
    assert found.tree["router_id"] == "mysql-ha"
    assert found.tree["vrrp_instances"] == {
        "VI_1": {
            "state": "BACKUP",
            "interface": "eth0",
            "virtual_router_id": "60",
            "priority": "100",
            "advert_int": "1",
            "nopreempt": "true",
            "authentication": {"auth_type": "PASS", "auth_pass": "4321"},
            "virtual_ipaddress": ["192.168.1.200"],
        }
    }
    assert found.tree["checks"] == {
        CHECK: {
            "type": "tcp",
            "host": "192.168.1.201",
            "port": "3306",
            "interval": "2",
            "timeout": "10",
            "fall": "4",
            "retry_interval": "3",
        }
    }
    assert found.server["real_servers"] == [
        {"address": "192.168.1.201", "port": "3306", "weight": "3", "smtp_alert": "true", "checks": [CHECK]}
    ]
    assert found.status == 5


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    text = SEED.read_text(encoding="utf-8")
    found = mapped(tmp_path, text)
    server = "virtual_server.192.168.1.200"
    real_server = f"{server}.real_server.`192.168.1.201`"
    errors = {
        "192.168.1.300": 'vrrp_instance.VI_1.virtual_ipaddress: "192.168.1.300" is not an IP address; it is left out',
        "sorry_server": f"{server}.sorry_server: port 80 is not the virtual server's 3306, which is used: DR does not"
        " change ports",
        "real_server `": f"{real_server}: the backquotes around 192.168.1.201 are taken off; keepalived leaves it out",
        "nb_get_retry": f"{real_server}.TCP_CHECK.nb_get_retry: keepalived does not know this here; taken as retry, as"
        " the tutorials that have it here mean it",
    }
    assert found.errors == [f"{line(text, words)}: {error}" for words, error in errors.items()]
    missing = "/usr/local/mysql/bin/mysql.sh: No such file or directory; the script is left out"
    assert f"{line(text, 'notify_down')}: {real_server}.notify_down: {missing}" in found.advice


def line(text: str, words: str) -> int:
    """The line that has these words."""
    return 1 + next(number for number, each in enumerate(text.splitlines()) if words in each)
