"""The network-namespace laboratory: two nodes, a client and a switch, with real databases and real agents.

topology    namespaces and the wires between them; serves tests and benchmarks alone
processes   starting, stopping and recognising processes by pid and start time
database    one MariaDB server, and the pair in dual-master replication
agents      what moves the VIP: pyvrrpd or keepalived
laboratory  all of it together: up, power off, power on, down
vipwatch    which nodes hold the VIP, to the millisecond
adverts     hearing VRRP on the wire
writer      the client's program; ledger is what is known of its rows
trial       the events of the demo, one after another; report prints what they cost
"""
