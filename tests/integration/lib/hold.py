# SPDX-License-Identifier: MIT
#
# hold.py FILE PATH: is a process of Nix's that holds PATH as a temporary root in FILE, until the file "hold" appears.
import fcntl
import os
import sys
import time

fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX)
os.write(fd, sys.argv[2].encode() + b"\0")
open("ready", "w").close()
while not os.path.exists("hold"):
    time.sleep(0.05)
