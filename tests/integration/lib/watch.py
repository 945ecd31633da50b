# SPDX-License-Identifier: MIT
#
# watch.py COLUMNS ROWS OPTION... -- PROGRAM [ARGUMENT]...: runs a program in a terminal of that size and keeps what its window shows.
#     shows TEXT      TEXT is in the window at some moment
#     never TEXT      it is not, at any
#     moves           from its first line on the window changes at least once a second
#     stop SECONDS    types Ctrl-C then
#     resize N        makes the window N columns wide, once the text before was shown (after shows)
#     ends TEXT       TEXT is what the window shows at the end, without empty lines; in it \n is a line end
#     status N        it ends with this status (0)
# Prints the last windows and ends with status 1 when something is not so.  Knows of a terminal what the program uses of one: an
# unknown sequence is an error.
import errno, fcntl, os, pty, re, select, signal, struct, sys, termios, time

columns, rows = int(sys.argv[1]), int(sys.argv[2])
split = sys.argv.index("--")
words, command = sys.argv[3:split], sys.argv[split + 1 :]
wanted, never, moves, stop, resize, ends, status = [], [], False, None, None, None, 0
while words:
    word = words.pop(0)
    if word == "moves":
        moves = True
        continue
    value = words.pop(0)
    if word == "shows":
        wanted.append(value)
    elif word == "never":
        never.append(value)
    elif word == "stop":
        stop = float(value)
    elif word == "resize":
        resize = int(value)
    elif word == "ends":
        ends = value.replace("\\n", "\n")
    else:
        status = int(value)

pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    time.sleep(0.1)  # until the window has its size
    for sig in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM:
        signal.signal(sig, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    finally:
        os._exit(127)


def set_size():
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


set_size()
screen, y, x, colour = [[]], 0, 0, False
wrapped = set()  # rows that went on in the next: a message may, what is drawn again may not
sequence = re.compile(r"\r|\n|\033\[[0-9;]*[A-Za-z]|\033|[^\r\n\033]")


def put(c):
    global x, y
    if x >= columns:
        wrapped.add(y)
        x, y = 0, y + 1
        if y == len(screen):
            screen.append([])
    line = screen[y]
    line.extend(" " * (x + 1 - len(line)))
    line[x] = c
    x += 1


def obey(text):
    global y, x, colour
    for m in sequence.finditer(text):
        s = m.group()
        if s == "\r":
            x = 0
        elif s == "\n":
            y += 1
            if y == len(screen):
                screen.append([])
        elif s == "\033[K":
            del screen[y][x:]
        elif s == "\033[J":
            del screen[y][x:]
            del screen[y + 1 :]
        elif s[0] == "\033" and s[-1] == "A":
            up = int(s[2:-1])
            # The terminal's own "^C" comes between any two letters.
            if any(row in wrapped and "^C" not in "".join(screen[row]) for row in range(y - up, y)):
                fail("a line is as wide as the window")
            y -= up
            if y < 0:
                fail("the cursor leaves the window")
        elif s[0] == "\033" and s[-1] == "m":
            colour = s not in ("\033[0m", "\033[m")
        elif s[0] == "\033":
            fail("an unknown sequence: %r" % s)
        else:
            put(s)


def window():
    return "\n".join(l for l in ("".join(l).rstrip() for l in screen) if l)


def fail(why):
    print("watch.py: " + why)
    for at, w in history[-3:]:
        print("--- %.1f s\n%s" % (at, w))
    sys.stdout.flush()
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
    os._exit(1)


began = time.time()
history = []  # (time, window), where it changed
rest = b""
while True:
    now = time.time() - began
    if now > 60:
        fail("it takes too long")
    if stop is not None and now > stop:
        os.write(fd, b"\x03")
        stop = None
    if not select.select([fd], [], [], 0.05)[0]:
        continue
    try:
        data = os.read(fd, 65536)
    except OSError as e:
        if e.errno != errno.EIO:
            raise
        data = b""
    if not data:
        break
    # A character may come in two parts, and so may a sequence.
    rest += data
    text = rest.decode(errors="ignore")
    if text.encode() == rest and not re.search(r"\033(\[[0-9;]*)?$", text):
        obey(text)
        rest = b""
    shown = window()
    now = time.time() - began
    # Half a second more: the machine may be busy with other tests.
    if history and moves and now - history[-1][0] > 1.5:
        fail("nothing changed for %.1f seconds" % (now - history[-1][0]))
    if not history or history[-1][1] != shown:
        history.append((now, shown))
    if resize and any(wanted[0] in w for _, w in history):
        columns, resize = resize, None
        set_size()
        screen = [l[:columns] for l in screen]
for text in wanted:
    if not any(text in w for _, w in history):
        fail("it never shows: " + text)
for text in never:
    if any(text in w for _, w in history):
        fail("it shows: " + text)
if colour:
    fail("a colour is on at the end")
if x:
    fail("the cursor is not at the start of a line")
if ends is not None and window() != ends:
    fail("at the end it does not show: " + ends)
ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if ended != status:
    fail("it ended with %d, not %d" % (ended, status))
