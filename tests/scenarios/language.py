"""The language of the scenario files: one line, one sentence; `#` begins a comment; times are `4s`, `62.5ms`.

cluster version 3 advert_int 0.1 lease 2     what all nodes have in common; every word pair may be left out
node a 192.168.1.201 priority 250 nopreempt weight -20 reverse inside
                                             a node that is switched on now; with `weight` its mysql is checked,
                                             `inside` puts one more address on a second interface
cluster group                                every node has VI_2 beside VI_1, the two are one sync group, and VI_2 alone
                                             tracks mysql
node a 192.168.1.201 priority 250 second 90  VI_2 has another priority than VI_1
node a 192.168.1.201 priority 250 vips 192.168.1.200,192.168.1.199 password 4321
node a 192.168.1.201 priority 250 list_tolerance 30 duplicate_wait 5
node a 192.168.1.201 priority 250 preempt_delay 3 down_timer_adverts 2 startup_delay 5
run 4s                                       time passes
kill a | start a                             the daemon dies (SIGKILL); it is started
freeze a | thaw a                            the daemon stands still (SIGSTOP); it goes on (SIGCONT)
power off a | power on a                     the machine
cut a | plug a                               the cable
unplug inside of a | plug inside of a        the cable of the second interface
isolate a | rejoin a                         a network that loses everything, and no link goes down
stop a                                       SIGTERM
reload a priority 90 ...                     SIGHUP; what is not named stays. Beside the words above:
                                             `addresses 3` (how many VI_1 has), `check 0.1` (how often mysql is
                                             checked), `apart` (VI_2 is there, but no group), `alone` (no VI_2)
delete vip on a | add vip on a               ip address del, ip address add
mysql on a fails | mysql on a recovers       the check notices at once
mysql on a hangs | mysql on a answers        the check notices after `fall` and `rise` results
checks of a stall | checks of a report       as long as they stall there is no news from them
kernel of a refuses | kernel of a obeys      to add addresses
firewall of a drops | firewall of a passes   the adverts that a sends
firewall of a drops input | ... passes input the adverts that a should hear
copies for a are lost | copies for a arrive  of these adverts, from below the firewall
node a 192.168.1.201 clock 1.01              a's clock runs 1 % fast
block a to b | unblock a to b                nothing gets from a to b, the other way it does
adverts of a to b are lost | adverts of a to b pass
                                             only these are: b can ask who has an address, and a answers
seed 7                                       what the weather is drawn from
weather loss 0.2 delay 1ms 20ms duplicate 0.1 overtaking
                                             how the network is from now on; what is not named is fair
foreign 192.168.1.66 priority 120            a router of the same virtual router, which listens to nobody
foreign 192.168.1.66 leaves
mend                                         everything above is undone, and what does not run is started
witness                                      from now on all that tests/simulation/invariants.py promises must hold
witness unequal                              but nobody need serve: members of a group wait for each other
squatter takes vip | squatter leaves vip     a host of which nobody knows has the VIP too
cluster database demote 0.3 hold             VI_1 has a database behind it, on every machine a server of its own: fit,
                                             closed, and 20 ms to open or to close; demote: how long closing is waited
                                             for; hold: on_silence. `reload a bare` takes it away again
database of a opens after 50ms               how long that takes from now on
database of a closes after 50ms
database of a never closes | refuses | lags | dies
database of a recovers                       from all of that
relinquish a | seize a                       switchover; promote --force
measure                                      begin to measure outage and overlap

expect a MASTER [within 4s]                  its state, VI_1's
expect a second MASTER [within 4s]           VI_2's state
expect a priority 230                        its effective priority
expect holders a b | none                    in whose kernel the VIP is
expect holders within 4s: b
expect second holders a b | none             in whose kernel VI_2's address is
expect writers a b | none                    whose database takes writes
expect a refuses | admits                    connections to its VIP
expect inside a b | none                     in whose kernel the address on the second interface is
expect outage at most 10ms                   time since `measure` in which no client could reach the VIP
expect overlap at most 0s                    time since `measure` in which more than one node answered for it
expect a transitions 1                       since `measure`
expect a sent priority 0 once | never        since `measure`
expect a log contains "text" | lacks "text"  since `measure`
expect a why contains "text" | lacks "text"  in the sentences of its status now
expect a told 'GROUP "G" MASTER 0'           to FIFOs, since `measure`
expect settled                               after `mend`, in the time that this may take: one master, and the right one
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from pyvrrp.core import const
from pyvrrp.core.effects import Action, Notify, SendAdvert
from pyvrrp.core.fsm import State
from pyvrrp.core.settings import (
    DatabaseSettings,
    DemoteSettings,
    InstanceSettings,
    NodeSettings,
    PromoteSettings,
    SyncGroupSettings,
    Track,
    VirtualAddress,
    automatic_lease,
)
from pyvrrp.core.wire import Advert, encode
from tests.simulation import CHECK, DATABASE, INSIDE, INTERFACE, SECOND, VIP, Lan, Weather, group_of, instance, settings
from tests.simulation.invariants import Witness

Words = list[str]
MORE = tuple(replace(VIP, address=VIP.address + number) for number in (10, 11, 12))  # VIPs that VI_1 may have as well
_UNITS = {"s": 1.0, "ms": 0.001}
_SEEN = 2  # looks that find it settled, until it is
_NUMBERS: dict[str, Callable[[str], float]] = {
    "priority": int,
    "version": int,
    "virtual_router_id": int,
    "advert_int": float,
    "preempt_delay": float,
    "list_tolerance": float,
    "duplicate_wait": float,
    "down_timer_adverts": int,
}


class ScenarioError(Exception):
    """A line that is not understood, or an expectation that does not hold; begins with file:line."""


@dataclass(slots=True)
class Meter:
    """Integrates for how long no node, and for how long more than one, answered for the VIP."""

    since: float
    answering: int = 0
    outage: float = 0.0
    overlap: float = 0.0

    def note(self, answering: int, now: float) -> None:
        """So many answer from now on."""
        if self.answering == 0:
            self.outage += now - self.since
        elif self.answering > 1:
            self.overlap += now - self.since
        self.since, self.answering = now, answering


def seconds(text: str) -> float:
    """`4s`, `62.5ms`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text)
    if found is None:
        raise ValueError(f"{text!r} is not a time like 4s or 62.5ms")
    return float(found[1]) * _UNITS[found[2]]


class Scenario:
    """A story on a Lan, told line by line."""

    def __init__(self) -> None:
        self.lan = Lan()
        self.lan.watch = self._watch
        self.common = settings(instance(duplicate_wait=None))
        self.files: dict[str, NodeSettings] = {}
        self.witness: Witness | None = None
        self._meter = Meter(self.lan.now)
        self._marks: dict[str, tuple[int, int, int]] = {}

    def tell(self, path: Path) -> None:
        """Perform a file. Raises ScenarioError."""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = shlex.split(line, comments=True)
            try:
                if words:
                    self.say(words)
            except (AssertionError, ValueError, KeyError, IndexError) as error:
                raise ScenarioError(f"{path.name}:{number}: {line.strip()}: {error}") from error

    def say(self, words: Words) -> None:
        """Perform one sentence. Raises ValueError when it is not of this language."""
        for pattern, perform in _PATTERNS.get(words[0], ()):
            found = _match(pattern, words)
            if found is not None:
                if self.witness is not None and words[0] not in ("run", "expect", "measure"):
                    self.witness.disturbed(self._consequences(words))
                perform(self, *found)
                return
        raise ValueError("unknown line")

    # --- building -----------------------------------------------------------------------------------------------------

    def cluster(self, *options: str) -> None:
        self.common = self._options(self.common, list(options))

    def node(self, name: str, address: str, *options: str) -> None:
        words, rate = list(options), 1.0
        if "clock" in words:
            at = words.index("clock")
            rate = float(words[at + 1])
            del words[at : at + 2]
        self.files[name] = self._options(self.common, words)
        self.lan.add(name, address, self.files[name], rate)

    def reload(self, name: str, *options: str) -> None:
        self.files[name] = self._options(self.files[name], list(options))
        if not self.lan.machines[name].node.stopping:
            self.lan.reload(name, self.files[name])

    def _options(self, node: NodeSettings, words: Words) -> NodeSettings:
        plain = replace(node.instances[0], tracks=node.instances[-1].tracks)
        second = node.instances[-1].priority
        both = len(node.instances) == 2
        while words:
            word = words.pop(0)
            if word in ("group", "apart", "alone"):
                both = word != "alone"
                node = replace(node, groups=(SyncGroupSettings("G", ("VI_1", "VI_2")),) if word == "group" else ())
            elif word == "check":
                node = replace(node, checks=(replace(CHECK, interval=float(words.pop(0))),))
            elif word == "second":
                second = int(words.pop(0))
            elif word == "startup_delay":
                node = replace(node, startup_delay=float(words.pop(0)))
            else:
                plain = _option(plain, word, words)
                second = plain.priority if word == "priority" else second
        instances = group_of(plain, second) if both else (plain,)
        return replace(node, instances=instances, checks=(node.checks or (CHECK,)) if plain.tracks else ())

    # --- what happens -------------------------------------------------------------------------------------------------

    def run(self, time: str) -> None:
        self.lan.run(seconds(time))

    def start(self, name: str) -> None:
        self.lan.start(name, self.files[name])

    def power_on(self, name: str) -> None:
        self.lan.power_on(name, self.files[name])

    def checks(self, name: str, word: str) -> None:
        self.lan.machines[name].mute = word == "stall"

    def refuse(self, name: str, word: str) -> None:
        self.lan.machines[name].refuse = frozenset({Action.ADD} if word == "refuses" else ())

    def firewall(self, name: str, word: str) -> None:
        self.lan.machines[name].muzzled = word == "drops"

    def firewall_input(self, name: str, word: str) -> None:
        self.lan.machines[name].unhearing = word == "drops"

    def copies(self, name: str, word: str) -> None:
        self.lan.machines[name].dull = word == "lost"

    def squatter(self, word: str) -> None:
        (self.lan.squatted.add if word == "takes" else self.lan.squatted.discard)(VIP.address)

    def mysql(self, name: str, word: str) -> None:
        ok = {"fails": False, "hangs": False, "recovers": True, "answers": True}[word]
        if word in ("hangs", "answers"):
            self.lan.machines[name].healthy = ok
        else:
            self.lan.check(name, ok)

    def database(self, name: str, word: str) -> None:
        changes = {"refuses": {"refuses": True}, "lags": {"lags": True}, "dies": {"alive": False}}
        if word == "recovers":
            self.lan.mend_database(name)
        else:
            self.lan.database(name, **changes[word])

    def pace(self, name: str, word: str, time: str) -> None:
        self.lan.database(name, **{word: seconds(time)})

    def weather(self, *options: str) -> None:
        weather, words = Weather(), list(options)
        while words:
            word = words.pop(0)
            if word == "overtaking":
                weather.overtaking = True
            elif word == "delay":
                weather.delay = (seconds(words.pop(0)), seconds(words.pop(0)))
            elif word in ("loss", "duplicate"):
                setattr(weather, word, float(words.pop(0)))
            else:
                raise ValueError(f"unknown option {word!r}")
        self.lan.weather = weather
        self.lan.watch()

    def foreign(self, source: str, priority: str) -> None:
        ours = self.common.instances[0]
        interval = round(ours.advert_int * const.CENTISECONDS)
        addresses = tuple(each.address for each in ours.addresses)
        auth_data = bytes(const.AUTH_DATA_SIZE) if ours.version == 2 else b""
        advert = Advert(
            ours.version, ours.virtual_router_id, int(priority), interval, addresses, const.AUTH_NONE, auth_data
        )
        self.lan.intrude(source, ours.advert_int, encode(advert, ip_address(source), const.GROUP_IPV4))

    def mend(self) -> None:
        lan = self.lan
        lan.squatted.clear()
        for source in list(lan.foreign):
            lan.retreat(source)
        lan.weather = replace(lan.weather, loss=0.0)
        for name, machine in lan.machines.items():
            machine.refuse, machine.muzzled, machine.mute, machine.group = frozenset(), False, False, 0
            machine.unhearing = machine.dull = False
            machine.deaf.clear()
            machine.unheard.clear()
            if not machine.powered:
                lan.power_on(name, self.files[name])
            if machine.paused and machine.running:
                lan.resume(name)
            if not machine.running or machine.node.stopping:
                lan.kill(name)
                lan.start(name, self.files[name])
            if not machine.link:
                lan.plug(name)
            if not machine.inner_link:
                lan.set_inner_link(name, up=True)
            machine.healthy = True
            lan.mend_database(name)
        lan.watch()

    def attend(self, *options: str) -> None:
        self.witness = Witness(self.lan, serving=options != ("unequal",))
        self.witness.disturbed(self._consequences(["start"]))
        self.lan.touched = None
        self.witness.look()

    def expect_settled(self) -> None:
        """In time; and what has been so for as long as the most patient node waits is taken to stay so."""
        witness = self.witness or Witness(self.lan)
        end, seen = self.lan.now + witness.settling(), 0
        self.lan.run(witness.unrest())
        while seen < _SEEN and self.lan.now < end:
            self.lan.run(min(witness.longest(), end - self.lan.now))
            seen = 0 if witness.unsettled() else seen + 1
        why = witness.unsettled()
        assert not why, why

    def _consequences(self, words: Words) -> float:
        """Seconds until what the words do has been noticed: by checks, and by who tries a refused request again."""
        first = words[0]
        checks = [each for node in self.files.values() for each in node.checks]
        results = max(((each.fall + 1) * each.interval + each.timeout for each in checks), default=0.0)
        if first in ("mysql", "checks"):
            return results
        if first in ("thaw", "start", "power", "plug", "witness"):
            return max((each.interval for each in checks), default=0.0)
        if first in ("kernel", "firewall"):
            return const.REFUSED_HOLD
        if first == "mend":
            sulk = any(each.hindered or each.sulks for each in self.lan.machines.values())
            return results + const.REFUSED_HOLD * sulk
        if first in ("stop", "reload"):  # handing over may end without a successor
            return max(each.node.handover_bound for each in self.lan.machines.values())
        return 0.0

    def measure(self) -> None:
        self._watch()
        self._meter = Meter(self.lan.now, self._meter.answering)
        for name, machine in self.lan.machines.items():
            self._marks[name] = (len(machine.log), len(machine.effects), len(machine.node.snapshot(0.0).history))

    def _mark(self, name: str) -> tuple[int, int, int]:
        """How many log lines, effects and transitions the node had at `measure`."""
        return self._marks.get(name, (0, 0, 0))

    def _watch(self) -> None:
        if self.witness is not None:
            self.witness.look()
        if self.witness is None or self._marks:
            self._meter.note(sum(each.serving for each in self.lan.machines.values()), self.lan.now)

    # --- what is expected ---------------------------------------------------------------------------------------------

    def expect_state(self, name: str, state: str, within: str = "0s") -> None:
        machine, wanted = self.lan.machines[name], State(state)
        self._wait(lambda: machine.state is wanted, within, lambda: f"{name} is {machine.state.value}")

    def expect_priority(self, name: str, priority: str) -> None:
        found = self.lan.machines[name].status.priority
        assert found == int(priority), f"it is {found}"

    def expect_holders(self, *names: str) -> None:
        self._expect_holders("0s", names)

    def expect_holders_within(self, time: str, *names: str) -> None:
        self._expect_holders(time.removesuffix(":"), names)

    def _expect_holders(self, time: str, names: tuple[str, ...]) -> None:
        wanted = [] if names == ("none",) else sorted(names)
        self._wait(lambda: sorted(self.lan.holders()) == wanted, time, lambda: f"it is {self.lan.holders() or 'none'}")

    def expect_second(self, name: str, state: str, within: str = "0s") -> None:
        machine, wanted = self.lan.machines[name], State(state)
        self._wait(lambda: machine.second.state is wanted, within, lambda: f"it is {machine.second.state.value}")

    def expect_second_holders(self, *names: str) -> None:
        found = sorted(each.name for each in self.lan.machines.values() if each.powered and SECOND in each.kernel)
        assert found == ([] if names == ("none",) else sorted(names)), f"it is {found or 'none'}"

    def expect_writers(self, *names: str) -> None:
        found = sorted(each.name for each in self.lan.machines.values() if each.writes)
        assert found == ([] if names == ("none",) else sorted(names)), f"it is {found or 'none'}"

    def expect_refusal(self, name: str, word: str) -> None:
        refuses = VIP.address in self.lan.machines[name].refusing.get("VI_1", ())
        assert refuses is (word == "refuses"), f"it {'refuses' if refuses else 'admits'} them"

    def expect_inside(self, *names: str) -> None:
        found = sorted(each.name for each in self.lan.machines.values() if each.powered and INSIDE in each.kernel)
        assert found == ([] if names == ("none",) else sorted(names)), f"it is {found or 'none'}"

    def _wait(self, condition: Callable[[], bool], time: str, found: Callable[[], str]) -> None:
        limit = seconds(time)
        if not limit or condition():
            assert condition(), found()
        else:
            self.lan.run_until(condition, limit)

    def expect_outage(self, time: str) -> None:
        self._watch()
        found = self._meter.outage
        assert found <= seconds(time), f"it was {found * 1e3:.3f} ms"

    def expect_overlap(self, time: str) -> None:
        self._watch()
        found = self._meter.overlap
        assert found <= seconds(time), f"it was {found * 1e3:.3f} ms"

    def expect_transitions(self, name: str, number: str) -> None:
        machine = self.lan.machines[name]
        made = machine.node.snapshot(0.0).history[self._mark(name)[2] :]
        told = ", ".join(f"{each.old} -> {each.new} ({each.reason})" for each in made) or "none"
        assert len(made) == int(number), f"there were {told}"

    def expect_zero(self, name: str, number: str) -> None:
        later = [effect for _, effect in self.lan.machines[name].effects[self._mark(name)[1] :]]
        zeros = [each for each in later if isinstance(each, SendAdvert) and each.payload[2] == const.PRIORITY_RELEASE]
        assert len(zeros) == {"once": 1, "never": 0}[number], f"sent {len(zeros)} times"

    def expect_log(self, name: str, verb: str, text: str) -> None:
        lines = [line for _, line in self.lan.machines[name].log[self._mark(name)[0] :]]
        there = any(text in line for line in lines)
        assert there is (verb == "contains"), "the log is:\n  " + "\n  ".join(lines)

    def expect_why(self, name: str, verb: str, text: str) -> None:
        why = " ".join(self.lan.machines[name].node.snapshot(self.lan.now).instances[0].why)
        assert (text in why) is (verb == "contains"), f"it is: {why}"

    def expect_told(self, name: str, text: str) -> None:
        later = [effect for _, effect in self.lan.machines[name].effects[self._mark(name)[1] :]]
        told = [effect.line for effect in later if isinstance(effect, Notify)]
        assert text in told, "it was told:\n  " + "\n  ".join(told)


def _option(plain: InstanceSettings, word: str, words: Words) -> InstanceSettings:
    """The instance with one option of a `cluster`, `node` or `reload` line; its values are taken from `words`."""
    if word in ("preempt", "nopreempt"):
        return replace(plain, preempt=word == "preempt")
    if word in ("advert_int", "down_timer_adverts"):
        plain = replace(plain, **{word: _NUMBERS[word](words.pop(0))})  # type: ignore[arg-type]
        return replace(plain, vip_lease=automatic_lease(plain.advert_int, plain.down_timer_adverts))
    if word in ("database", "bare", "demote", "hold"):
        return replace(plain, database=_database(plain.database or DATABASE, word, words))
    if word in _NUMBERS:
        return replace(plain, **{word: _NUMBERS[word](words.pop(0))})  # type: ignore[arg-type]
    if word == "addresses":
        return replace(plain, addresses=(VIP, *MORE)[: int(words.pop(0))])
    if word == "lease":
        lease = words.pop(0)
        return replace(plain, vip_lease=None if lease == "off" else int(lease))
    if word == "weight":
        return replace(plain, tracks=(Track(CHECK.name, int(words.pop(0))),))
    if word == "reverse":
        return replace(plain, tracks=tuple(replace(each, reverse=True) for each in plain.tracks))
    if word == "password":
        return replace(plain, auth_pass=words.pop(0).encode())
    if word == "vips":
        addresses = (VirtualAddress(INTERFACE, ip_address(each), 32) for each in words.pop(0).split(","))
        return replace(plain, addresses=tuple(addresses))
    if word == "inside":
        return replace(plain, excluded=(INSIDE,))
    raise ValueError(f"unknown option {word!r}")


def _database(database: DatabaseSettings, word: str, words: Words) -> DatabaseSettings | None:
    if word == "demote":
        return replace(database, demote=DemoteSettings(timeout=float(words.pop(0))))
    if word == "hold":
        return replace(database, promote=PromoteSettings(on_silence="hold"))
    return database if word == "database" else None


def _match(pattern: Words, words: Words) -> Words | None:
    """The words that stand where the pattern has upper-case ones or `...`; None when the sentence is another one."""
    if pattern[-1:] == ["..."]:
        if len(words) < len(pattern) - 1:
            return None
        pattern = pattern[:-1] + ["REST"] * (len(words) - len(pattern) + 1)
    if len(pattern) != len(words):
        return None
    found = []
    for wanted, word in zip(pattern, words, strict=True):
        if "|" not in wanted and wanted.isupper():
            found.append(word)
        elif word not in wanted.split("|"):
            return None
        elif "|" in wanted:
            found.append(word)
    return found


# Every sentence: upper-case words are arguments, alternatives are arguments, `...` is any number of them.
_SENTENCES: tuple[tuple[str, Callable[..., None]], ...] = (
    ("cluster ...", Scenario.cluster),
    ("node NAME ADDRESS ...", Scenario.node),
    ("run TIME", Scenario.run),
    ("kill NAME", lambda story, name: story.lan.kill(name)),
    ("start NAME", Scenario.start),
    ("freeze NAME", lambda story, name: story.lan.pause(name)),
    ("thaw NAME", lambda story, name: story.lan.resume(name)),
    ("power off NAME", lambda story, name: story.lan.power_off(name)),
    ("power on NAME", Scenario.power_on),
    ("cut NAME", lambda story, name: story.lan.cut(name)),
    ("plug NAME", lambda story, name: story.lan.plug(name)),
    ("unplug inside of NAME", lambda story, name: story.lan.set_inner_link(name, up=False)),
    ("plug inside of NAME", lambda story, name: story.lan.set_inner_link(name, up=True)),
    ("isolate NAME", lambda story, name: story.lan.partition(name, 1)),
    ("rejoin NAME", lambda story, name: story.lan.partition(name, 0)),
    ("stop NAME", lambda story, name: story.lan.stop(name)),
    ("reload NAME ...", Scenario.reload),
    ("delete vip on NAME", lambda story, name: story.lan.delete_vip(name)),
    ("add vip on NAME", lambda story, name: story.lan.add_vip(name)),
    ("mysql on NAME fails|recovers|hangs|answers", Scenario.mysql),
    ("checks of NAME stall|report", Scenario.checks),
    ("kernel of NAME refuses|obeys", Scenario.refuse),
    ("firewall of NAME drops|passes", Scenario.firewall),
    ("firewall of NAME drops|passes input", Scenario.firewall_input),
    ("copies for NAME are lost", lambda story, name: story.copies(name, "lost")),
    ("copies for NAME arrive", lambda story, name: story.copies(name, "arrive")),
    ("block NAME to NAME", lambda story, name, other: story.lan.block(name, other)),
    ("unblock NAME to NAME", lambda story, name, other: story.lan.unblock(name, other)),
    ("adverts of NAME to NAME are lost", lambda story, name, other: story.lan.muffle(name, other)),
    ("adverts of NAME to NAME pass", lambda story, name, other: story.lan.unmuffle(name, other)),
    ("seed NUMBER", lambda story, number: story.lan.random.seed(int(number))),
    ("weather ...", Scenario.weather),
    ("foreign ADDRESS leaves", lambda story, address: story.lan.retreat(address)),
    ("foreign ADDRESS priority NUMBER", Scenario.foreign),
    ("mend", Scenario.mend),
    ("witness ...", Scenario.attend),
    ("squatter takes|leaves vip", Scenario.squatter),
    ("database of NAME opens|closes after TIME", Scenario.pace),
    ("database of NAME never closes", lambda story, name: story.lan.database(name, clings=True)),
    ("database of NAME refuses|lags|dies|recovers", Scenario.database),
    ("relinquish NAME", lambda story, name: story.lan.relinquish(name)),
    ("seize NAME", lambda story, name: story.lan.seize(name)),
    ("measure", Scenario.measure),
    ("expect settled", Scenario.expect_settled),
    ("expect holders within TIME ...", Scenario.expect_holders_within),
    ("expect holders ...", Scenario.expect_holders),
    ("expect second holders ...", Scenario.expect_second_holders),
    ("expect NAME second INIT|BACKUP|MASTER|FAULT", Scenario.expect_second),
    ("expect NAME second INIT|BACKUP|MASTER|FAULT within TIME", Scenario.expect_second),
    ("expect writers ...", Scenario.expect_writers),
    ("expect NAME refuses|admits", Scenario.expect_refusal),
    ("expect inside ...", Scenario.expect_inside),
    ("expect outage at most TIME", Scenario.expect_outage),
    ("expect overlap at most TIME", Scenario.expect_overlap),
    ("expect NAME priority NUMBER", Scenario.expect_priority),
    ("expect NAME transitions NUMBER", Scenario.expect_transitions),
    ("expect NAME sent priority 0 once|never", Scenario.expect_zero),
    ("expect NAME log contains|lacks TEXT", Scenario.expect_log),
    ("expect NAME why contains|lacks TEXT", Scenario.expect_why),
    ("expect NAME told TEXT", Scenario.expect_told),
    ("expect NAME INIT|BACKUP|MASTER|FAULT", Scenario.expect_state),
    ("expect NAME INIT|BACKUP|MASTER|FAULT within TIME", Scenario.expect_state),
)

# The same by first word.
_PATTERNS: dict[str, list[tuple[Words, Callable[..., None]]]] = {}
for _pattern, _perform in _SENTENCES:
    for _first in _pattern.split()[0].split("|"):
        _PATTERNS.setdefault(_first, []).append((_pattern.split(), _perform))
