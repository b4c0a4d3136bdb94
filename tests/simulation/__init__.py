"""Several nodes on one imaginary link, in virtual time.

samples.py has the settings that tests begin with, machine.py is one node, network.py the link, its clock and its moods;
invariants.py looks at all of it after every step.
"""

from tests.simulation.machine import Machine
from tests.simulation.network import KERNEL_SLACK, Lan, Weather, pair
from tests.simulation.samples import CHECK, DATABASE, INSIDE, INTERFACE, SECOND, VIP, group_of, instance, settings

__all__ = [
    "CHECK",
    "DATABASE",
    "INSIDE",
    "INTERFACE",
    "KERNEL_SLACK",
    "SECOND",
    "VIP",
    "Lan",
    "Machine",
    "Weather",
    "group_of",
    "instance",
    "pair",
    "settings",
]
