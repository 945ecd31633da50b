# SPDX-License-Identifier: MIT
#
# poison.py STORE VICTIM NAME SYSTEM: writes into a store what a program without checks let in: a derivation NAME.drv, copied
# there as a file, that lists VICTIM as its output, and VICTIM, which it made.  Prints the path of the derivation.
#
# poison.py STORE --sql STATEMENT [PARAMETER...]: changes rows.
import hashlib
import os
import sqlite3
import struct
import sys

DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"


def nix32(b):
    n = (len(b) * 8 + 4) // 5
    v = int.from_bytes(b, "little")
    return "".join(DIGITS[v >> 5 * i & 31] for i in reversed(range(n)))


def fold(b):
    out = bytearray(20)
    for i, x in enumerate(b):
        out[i % 20] ^= x
    return bytes(out)


def archive(text):
    words = (b"nix-archive-1", b"(", b"type", b"regular", b"contents", text, b")")
    return b"".join(struct.pack("<Q", len(w)) + w + b"\0" * (-len(w) % 8) for w in words)


root = sys.argv[1]
db = sqlite3.connect(root + "/nix/var/nix/db/db.sqlite")


def put(path, text, deriver, ca):
    nar = archive(text)
    file = root + path
    with open(file, "wb") as f:
        f.write(text)
    os.chmod(file, 0o444)
    os.utime(file, (1, 1))
    row = (path, "sha256:" + hashlib.sha256(nar).hexdigest(), deriver, len(nar), 1 if deriver else None, ca)
    sql = "insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, ca) values (?, ?, 1, ?, ?, ?, ?)"
    return db.execute(sql, row).lastrowid


if sys.argv[2] == "--sql":
    db.execute(sys.argv[3], sys.argv[4:])
else:
    victim, name, system = sys.argv[2:]
    words = (victim, system, name, victim)
    text = 'Derive([("out","%s","","")],[],[],"%s","/bin/sh",["-c","echo EVIL > $out"],[("name","%s"),("out","%s")])' % words
    text = text.encode()
    inner = hashlib.sha256(archive(text)).digest()
    outer = hashlib.sha256(("source:sha256:%s:/nix/store:%s.drv" % (inner.hex(), name)).encode()).digest()
    drv = "/nix/store/%s-%s.drv" % (nix32(fold(outer)), name)
    number = put(drv, text, None, "fixed:r:sha256:" + nix32(inner))
    put(victim, b"EVIL\n", drv, None)
    db.execute("insert into DerivationOutputs (drv, id, path) values (?, 'out', ?)", (number, victim))
    print(drv)
db.commit()
