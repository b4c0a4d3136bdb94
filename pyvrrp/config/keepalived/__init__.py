"""keepalived.conf → the located tree of node.yaml.

words.py      characters → words with their places: comments, quotes, escapes
source.py     files → lines: @id; definitions.py: $VARIABLES, ~SEQ and ~LST; includes.py, globs.py: include
keywords.py   the one table: every keyword of keepalived, where it may stand, and what becomes of it here
parser.py     lines → statements, guided by the table
remarks.py    what is said about a file, and keepalived's exit status for it
mapping.py    statements → the tree of node.yaml, by keepalived's rules for values and defaults
map_*.py      the same for one kind of block each; reading.py: how a block is read; commands.py: scripts
comments.py   comments, by the places of what they belong to
"""
