# SPDX-License-Identifier: MIT
#
# page.py FILE: does what the page says, here.  A command is a line "$ COMMAND" of a block ```console; what stands below it is all that it prints, "…" being
# anything; it has to end with 0.  All of a page is one session of bash.  Prints a line of TAP for each command.
import re
import subprocess
import sys

commands, block = [], None
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.rstrip("\n")
    if line.startswith("```"):
        block = line[3:] if block is None else None
    elif block == "console" and line.startswith("$ "):
        commands.append((line[2:], []))
    elif block == "console":
        commands[-1][1].append(line)
if not commands:
    sys.exit("there is nothing to do in " + sys.argv[1])

mark = "@@ page"
script = "".join("%s 2>>page.errors\necho '%s' $?\n" % (c, mark) if not c.endswith("&") else "%s\necho '%s' 0\n" % (c, mark) for c, _ in commands)
run = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, timeout=900, encoding="utf-8")
parts = re.split(r"(?m)^%s (\d+)\n" % mark, run.stdout)
for i, (command, wanted) in enumerate(commands):
    printed, status = (parts[2 * i], parts[2 * i + 1]) if 2 * i + 1 < len(parts) else ("", "nothing")
    text = "".join(l + "\n" for l in wanted)
    same = re.fullmatch(re.escape(text).replace("…", "[^\n]*"), printed)
    print("%s - %s" % ("ok" if same and status == "0" else "not ok", command[:100].replace("#", "\\#")))
    if not same or status != "0":
        print("".join("# %s\n" % l for l in ["status " + status, "printed:"] + printed.splitlines() + ["the page:"] + wanted), end="")
