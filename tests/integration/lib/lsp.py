# SPDX-License-Identifier: MIT
#
# lsp.py ROOT FILE WORD... -- SERVER ARG...: asks a language server over standard input and output where the last identifier of each
# WORD ("chi.NewRouter", "(greet") in FILE is defined; prints an address a line; of "?WORD" what the server says about it.  Ends with an error unless the whole conversation goes as
# the protocol has it: initialize, initialized, didOpen, definition, shutdown, exit with status 0.
import json, os, pathlib, subprocess, sys, threading

split = sys.argv.index("--")
root, file, *words = sys.argv[1:split]
root = os.path.abspath(root)
path = os.path.join(root, file)
uri = pathlib.Path(path).as_uri()
server = subprocess.Popen(sys.argv[split + 1 :], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
timer = threading.Timer(240, server.kill)
timer.daemon = True
timer.start()


def send(message):
    body = json.dumps(dict(message, jsonrpc="2.0")).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    server.stdin.flush()


def receive():
    length = None
    while True:
        line = server.stdout.readline()
        if not line:
            sys.exit("the server ended, status %s" % server.wait())
        if line == b"\r\n":
            return json.loads(server.stdout.read(length))
        name, value = line.split(b":")
        if name.lower() == b"content-length":
            length = int(value)


number = 0


def ask(method, params):
    global number
    number += 1
    send({"id": number, "method": method, "params": params})
    while True:
        m = receive()
        if "method" in m and "id" in m:
            # What servers ask of their clients: settings, mostly.
            items = m.get("params", {}).get("items") if m["method"] == "workspace/configuration" else None
            send({"id": m["id"], "result": None if items is None else [None] * len(items)})
        elif m.get("id") == number:
            if "error" in m:
                sys.exit("%s: %s" % (method, m["error"]["message"]))
            return m["result"]


folders = [{"uri": pathlib.Path(root).as_uri(), "name": "root"}]
answer = ask("initialize", {"processId": os.getpid(), "rootUri": folders[0]["uri"], "workspaceFolders": folders, "capabilities": {}})
if not answer["capabilities"].get("definitionProvider"):
    sys.exit("the server knows no definitions")
send({"method": "initialized", "params": {}})
text = open(path).read()
send({"method": "textDocument/didOpen", "params": {"textDocument": {"uri": uri, "languageId": "go", "version": 1, "text": text}}})
for word in words:
    about, word = word.startswith("?"), word.lstrip("?")
    at = text.index(word) + max(word.rfind("."), word.rfind("(")) + 1
    line = text.count("\n", 0, at)
    position = {"line": line, "character": at - (text.rfind("\n", 0, at) + 1)}
    if about:
        said = ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})["contents"]["value"].splitlines()
        print(": ".join(l for l in said if l and not l.startswith("```") and l != "---" and not l.startswith("[")))
        continue
    found = ask("textDocument/definition", {"textDocument": {"uri": uri}, "position": position})
    print((found[0] if isinstance(found, list) else found)["uri"] if found else "nowhere")
ask("shutdown", None)
send({"method": "exit"})
server.stdin.close()
sys.exit(server.wait())
