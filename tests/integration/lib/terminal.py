# SPDX-License-Identifier: MIT
#
# terminal.py PROGRAM [ARGUMENT]...: runs a program in a terminal of its own and talks to it as the lines of standard input say:
#     > TEXT     types TEXT and Return
#     keys TEXT  types TEXT, in which \t, \r, \e and the like mean what they do in Python (\e: escape)
#     paste TEXT the same as a terminal sends what is pasted
#     tab TEXT   types TEXT and Tab
#     ^C         types Ctrl-C
#     hangup     closes the terminal
#     = TEXT     waits until it has printed TEXT since the last such line (at most 30 seconds)
#     - TEXT     it must not have printed TEXT by the next "="
#     exit N     waits for its end, which must be status N (a signal N: -N)
#     sleep SECONDS, file NAME (waits for a file)
# The terminal is of the kind that TEST_TERM says ("dumb": it moves no cursor), and 80 columns wide or what TEST_COLUMNS says.
# Prints what the terminal showed when something is not as expected, and ends with status 1 then.  The program is killed after two
# minutes, whatever happens.
import errno
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM=os.environ.get("TEST_TERM", "dumb"), PS1="prompt> ")
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(os.environ.get("TEST_COLUMNS", "80")), 0, 0))
    os.closerange(3, 1024)
    # Whoever started the tests in the background made them deaf to it.
    for sig in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM:
        signal.signal(sig, signal.SIG_DFL)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    finally:
        os._exit(127)

signal.signal(signal.SIGALRM, lambda *_: fail("it takes too long"))
signal.alarm(120)
shown = b""
since = 0
unwanted = []


def fail(why):
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    print("\nterminal.py: " + why)
    sys.stdout.flush()
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
    os._exit(1)


def read_more(wait):
    """False at the end."""
    global shown
    if not select.select([fd], [], [], wait)[0]:
        return True
    try:
        data = os.read(fd, 65536)
    except OSError as e:
        if e.errno != errno.EIO:
            raise
        data = b""
    shown += data
    return bool(data)


def read_quiet():
    """Until nothing was printed for half a second."""
    while True:
        before = len(shown)
        if not read_more(0.5) or len(shown) == before:
            return


def keys(text):
    return text.replace("\\e", "\\x1b").encode("raw_unicode_escape").decode("unicode_escape").encode()


def expect(text):
    global since, unwanted
    end = time.time() + 30
    while text not in shown[since:]:
        if not read_more(0.1) and text not in shown[since:]:
            fail("it ended and did not print: " + text.decode())
        if time.time() > end:
            fail("it does not print: " + text.decode())
    at = shown.index(text, since) + len(text)
    for word in unwanted:
        if word in shown[since:at]:
            fail("it printed: " + word.decode())
    since, unwanted = at, []


def ended(status):
    end = time.time() + 30
    while time.time() < end:
        if fd >= 0:
            read_more(0.05)
        p, st = os.waitpid(pid, os.WNOHANG)
        if p:
            if os.waitstatus_to_exitcode(st) != status:
                fail("it ended with %d, not %d" % (os.waitstatus_to_exitcode(st), status))
            return
        time.sleep(0.02)
    fail("it does not end")


for line in sys.stdin:
    word, _, rest = line.rstrip("\n").partition(" ")
    if word == ">":
        os.write(fd, rest.encode() + b"\r")
    elif word == "keys":
        os.write(fd, keys(rest))
    elif word == "paste":
        os.write(fd, b"\x1b[200~" + keys(rest) + b"\x1b[201~")
    elif word == "tab":
        os.write(fd, rest.encode() + b"\t")
        # What is typed before the answer would be taken for a part of the word.
        read_quiet()
    elif word == "^C":
        os.write(fd, b"\x03")
    elif word == "hangup":
        os.close(fd)
        fd = -1
    elif word == "=":
        expect(rest.encode())
    elif word == "-":
        unwanted.append(rest.encode())
    elif word == "exit":
        ended(int(rest))
    elif word == "sleep":
        time.sleep(float(rest))
    elif word == "file":
        end = time.time() + 30
        while not os.path.exists(rest):
            if time.time() > end:
                fail("there is no file " + rest)
            read_more(0.05)
    elif word and word[0] != "#":
        fail("not understood: " + line)
os._exit(0)
