# SPDX-License-Identifier: MIT
#
# rows.py STORE: the rows of a store's database, without numbers and times.
import sqlite3
import sys

db = sqlite3.connect("file:%s/nix/var/nix/db/db.sqlite?mode=ro" % sys.argv[1], uri=True)
for query in (
    "select path, hash, deriver, narSize, ultimate, sigs, ca from ValidPaths",
    "select v.path, d.id, d.path from DerivationOutputs d join ValidPaths v on d.drv = v.id",
    "select a.path, b.path from Refs join ValidPaths a on a.id = referrer join ValidPaths b on b.id = reference",
):
    for row in sorted(db.execute(query), key=repr):
        print(*row)
