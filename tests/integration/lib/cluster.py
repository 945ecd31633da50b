# SPDX-License-Identifier: MIT
#
# cluster.py: an API server of Kubernetes on 127.0.0.1, with TLS (server.pem), that keeps everything in memory and behaves as the real one where gx
# looks: versions, server-side apply with field managers, finalizers, deletion in two steps, preconditions, watches with bookmarks and 410, exec over
# WebSocket (v5.channel.k8s.io; the program runs here), Leases, TokenReview, SubjectAccessReview.  A pod that is made becomes ready by itself, unless
# the words in the file named mode, read for each request, say otherwise:
#
#   no-crd             it does not know the kind DevPod
#   unschedulable, no-image, no-map, dies           what becomes of pods that are made
#   stubborn           pods go after two seconds
#   busy               the first two requests for each path are answered 429, 1 second
#   away               503 to all       forbid-once        403 to the first request (as after a restart)
#   compact            versions before the newest are too old for a watch
#   cut                each watch breaks off in the middle of its second event
#   junk               each watch says what is no JSON            huge               what has no end
#   stale              each event comes once more after the next one, as it was
#   junk-list          a list is no JSON         deny-exec          403 to exec        v4     only v4.channel.k8s.io
#   bad-accept         exec answers another key  break-exec         the connection breaks off before the end is told
#   cut-exec           403 to exec, and the connection breaks off in the middle of it
#   evil               messages steer terminals  long               and have no room
#   slow-review        reviews take two seconds
#
# Tokens are "good" (alice of gx-devs), "pod-a" (for gx-store alone: account a of team-a), "pod-b" (of team-b), "controller", "later" (once there is a
# file named later).  /clusters/one before a path is the same.  Who may read which store (SubjectAccessReview): an account whose namespace is the store's name, and alice "shared".
#
# Writes the port to the file port, to the file requests a line "METHOD PATH AUTHORIZATION-SCHEME STATUS" for each request.  Ends when there is a file
# named stop, and after ten minutes.
import base64
import copy
import fcntl
import hashlib
import http.server
import json
import os
import pty
import re
import select
import signal
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
from serving import Server, announce, start, until_stopped

lock = threading.Condition()
# Another server goes on with higher versions.
begin = int(time.time() * 1000)
objects, history, counter, seen, applied = {}, [], [begin], {}, {}
groups = {"/api/v1": "pods serviceaccounts persistentvolumeclaims configmaps namespaces events", "/apis/gx.dev/v1alpha1": "devpods",
          "/apis/networking.k8s.io/v1": "networkpolicies", "/apis/coordination.k8s.io/v1": "leases"}
users = {"good": ("alice", ["gx-devs"]), "controller": ("system:serviceaccount:gx-system:gx-devpod-controller", []), "later": ("late", [])}
audience = {"pod-a": "system:serviceaccount:team-a:a", "pod-b": "system:serviceaccount:team-b:b"}


def mode():
    try:
        return open("mode").read().split()
    except OSError:
        return []


def version():
    counter[0] += 1
    return str(counter[0])


def event(kind, key, o):
    history.append((int(o["metadata"]["resourceVersion"]), kind, key[:2], copy.deepcopy(o)))
    lock.notify_all()


def store(key, o):
    o["metadata"]["resourceVersion"] = version()
    kind = "MODIFIED" if key in objects else "ADDED"
    objects[key] = o
    event(kind, key, o)


def remove(key):
    o = objects.pop(key)
    o["metadata"]["resourceVersion"] = version()
    event("DELETED", key, o)


def merge(to, what):
    for k, v in what.items():
        if v is None:
            to.pop(k, None)
        elif isinstance(v, dict) and isinstance(to.get(k), dict):
            merge(to[k], v)
        else:
            to[k] = copy.deepcopy(v)


def prune(to, had, has):
    """Takes away what a manager said before and no longer says."""
    for k, v in had.items():
        if k not in has:
            to.pop(k, None)
        elif isinstance(v, dict) and isinstance(has[k], dict) and isinstance(to.get(k), dict):
            prune(to[k], v, has[k])


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# --- the kubelet ---


def run_pod(key, uid):
    time.sleep(0.05)
    with lock:
        o = objects.get(key)
        if not o or o["metadata"]["uid"] != uid:
            return
        o = copy.deepcopy(o)
        words = mode()
        waiting = lambda reason, message: {"containerStatuses": [{"name": "shell", "state": {"waiting": {"reason": reason, "message": message}}}]}
        if "unschedulable" in words:
            o["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                                              "message": "0/1 nodes are available: 1 Insufficient memory."}]}
        elif "no-image" in words:
            o["status"] = {"phase": "Pending", **waiting("ImagePullBackOff", "Back-off pulling image\x1b[31m" if "evil" in words else "Back-off pulling image")}
        elif "no-map" in words:
            o["status"] = {"phase": "Pending", **waiting("CreateContainerConfigError", 'configmap "dev-env" not found')}
        elif "dies" in words:
            o["status"] = {"phase": "Failed", "reason": "OutOfmemory", "message": "x" + "é" * 5000 if "long" in words else "Node didn't have enough resource: memory"}
        else:
            o["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        store(key, o)


def end_pod(key, uid, seconds):
    time.sleep(seconds)
    with lock:
        if key in objects and objects[key]["metadata"]["uid"] == uid:
            remove(key)


# --- requests ---


def take_terminal():
    """Of a server in the background Ctrl-C is ignored, and so it would be of what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Refused(Exception):
    def __init__(self, status, reason, message, **more):
        self.status, self.body = status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": status, **more}


def matches(o, query):
    for s in filter(None, query.get("fieldSelector", [""])[0].split(",")):
        k, v = s.split("=", 1)
        if k != "metadata.name":
            raise Refused(400, "BadRequest", "field label not supported: " + k)
        if o["metadata"]["name"] != v:
            return False
    labels = o["metadata"].get("labels", {})
    return all(labels.get(s.split("=", 1)[0]) == s.split("=", 1)[1] for s in filter(None, query.get("labelSelector", [""])[0].split(",")))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status):
        scheme = self.headers.get("Authorization", "-").split()[0]
        with open("requests", "a") as f:
            f.write("%s %s %s %d\n" % (self.command, self.path, scheme, status))

    def answer(self, status, o, headers=(), missing=0):
        data = o if isinstance(o, bytes) else json.dumps(o).encode()
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data) + missing))
        for h in headers:
            self.send_header(*h)
        self.end_headers()
        self.wfile.write(data)

    def who(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            token = "good" if base64.b64decode(token) == b"me:secret" else ""
        if token == "later" and not os.path.exists("later"):
            token = ""
        cert = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        if token in users:
            return users[token][0]
        if cert and not token:
            return dict(x[0] for x in cert["subject"])["commonName"]
        raise Refused(401, "Unauthorized", "Unauthorized")

    def handle_all(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length else b""
        url = urllib.parse.urlsplit(self.path.replace("/clusters/one/", "/", 1))
        query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        words = mode()
        try:
            self.hinder(url.path, words)
            user = self.who()
            if url.path.endswith("/exec"):
                self.exec(url.path, query, words)
            elif url.path.endswith("reviews"):
                self.review(url.path, json.loads(body), words)
            else:
                self.resource(url.path, query, json.loads(body) if body else None, words)
        except Refused as r:
            if "evil" in words:
                r.body["message"] += "\x1b]0;owned\x07\x1b[2J"
            cut = r.status == 403 and "cut-exec" in words
            self.answer(r.status, r.body, [("Retry-After", "1")] if r.status == 429 else [], 1000 if cut else 0)
            if cut:
                self.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_all

    def hinder(self, path, words):
        seen[path] = seen.get(path, 0) + 1 if "busy" in words else 0
        if "busy" in words and seen[path] <= 2:
            raise Refused(429, "TooManyRequests", "storage is (re)initializing")
        if "away" in words:
            raise Refused(503, "ServiceUnavailable", "away")
        if "forbid-once" in words and not os.path.exists("forbidden"):
            open("forbidden", "w").close()
            raise Refused(403, "Forbidden", "devpods is forbidden")

    def review(self, path, o, words):
        if "slow-review" in words:
            time.sleep(2)
        if path.endswith("tokenreviews"):
            name = audience.get(o["spec"]["token"])
            if name and "gx-store" in o["spec"].get("audiences", []):
                ns = name.split(":")[2]
                o["status"] = {"authenticated": True, "audiences": ["gx-store"],
                               "user": {"username": name, "uid": "u", "groups": ["system:serviceaccounts", "system:serviceaccounts:" + ns],
                                        "extra": {"authentication.kubernetes.io/pod-name": ["pod-of-" + ns]}}}
            else:
                o["status"] = {"user": {}, "error": "token is not for these audiences"}
        else:
            a = o["spec"]["resourceAttributes"]
            own = o["spec"]["user"].startswith("system:serviceaccount:%s:" % a["name"])
            o["status"] = {"allowed": own and (a["verb"], a["group"], a["resource"]) == ("get", "gx.dev", "stores")}
        self.answer(201, o)

    # --- resources ---

    def resource(self, path, query, body, words):
        group = next((g for g in groups if path == g or path.startswith(g + "/")), None)
        if group is None or ("no-crd" in words and group.startswith("/apis/gx.dev")):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if path == group:
            return self.answer(200, {"kind": "APIResourceList", "groupVersion": group[6:]})
        parts = [urllib.parse.unquote(p) for p in path[len(group) + 1:].split("/")]
        ns = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            ns, parts = parts[1], parts[2:]
        plural, name, sub = parts[0], parts[1] if len(parts) > 1 else None, parts[2] if len(parts) > 2 else None
        if plural not in groups[group].split():
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if name is None and self.command == "GET":
            return self.watch(plural, ns, query, words) if "watch" in query else self.list(plural, ns, query, words)
        with lock:
            status, o = self.change(plural, ns, name, sub, query, body, words)
        self.answer(status, o)

    def list(self, plural, ns, query, words):
        if "junk-list" in words:
            return self.answer(200, b'{"items": [')
        with lock:
            all = sorted(k for k in objects if k[0] == plural and ns in ("", k[1]))
            all = [objects[k] for k in all if matches(objects[k], query)]
            # Pages are seldom so small.
            limit, at = min(int(query.get("limit", ["0"])[0]), 2) or len(all), int(query.get("continue", ["0"])[0] or 0)
            meta = {"resourceVersion": str(counter[0])}
            if at + limit < len(all):
                meta["continue"] = str(at + limit)
            o = {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": copy.deepcopy(all[at:at + limit])}
        self.answer(200, o)

    def change(self, plural, ns, name, sub, query, body, words):
        key = (plural, ns, name or (body or {}).get("metadata", {}).get("name"))
        is_ = objects.get(key)
        if self.command == "GET":
            if not is_:
                raise Refused(404, "NotFound", '%s "%s" not found' % (plural, key[2]))
            return 200, is_
        if self.command == "DELETE":
            return self.delete(key, is_, body or {}, words)
        kind = self.headers.get("Content-Type")
        if self.command == "POST" and is_:
            raise Refused(409, "AlreadyExists", '%s "%s" already exists' % (plural, key[2]))
        if self.command == "PUT":
            had = body["metadata"].get("resourceVersion")
            if not had:
                raise Refused(422, "Invalid", "metadata.resourceVersion: must be specified for an update")
            if not is_ or had != is_["metadata"]["resourceVersion"]:
                raise Refused(409, "Conflict", "the object has been modified")
        if plural == "leases":
            for k in ("renewTime", "acquireTime"):
                if k in body["spec"] and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["spec"][k]):
                    raise Refused(400, "BadRequest", "cannot parse " + k)
        if self.command == "PATCH" and kind == "application/apply-patch+yaml" and not query.get("fieldManager"):
            raise Refused(422, "Invalid", "fieldManager is required for apply patch")
        if self.command == "PATCH" and kind in ("application/json-patch+json", "application/merge-patch+json") and not is_:
            raise Refused(404, "NotFound", '%s "%s" not found' % (plural, key[2]))
        if sub == "status" and not is_:
            raise Refused(404, "NotFound", '%s "%s" not found' % (plural, key[2]))
        said_uid = body.get("metadata", {}).get("uid") if isinstance(body, dict) and self.command == "PATCH" else None
        if said_uid and said_uid != (is_ or {"metadata": {}})["metadata"].get("uid"):
            raise Refused(409, "Conflict", "the UID in the request does not match")
        if self.command == "PATCH" and kind == "application/json":
            raise Refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        o = copy.deepcopy(is_) if is_ else {"metadata": {"uid": "uid-%d" % (counter[0] + 1), "creationTimestamp": now(), "generation": 1}}
        if kind == "application/json-patch+json":
            self.json_patch(o, body)
        elif self.command == "PUT":
            o = dict(body, metadata=dict(body["metadata"], uid=o["metadata"]["uid"]))
        else:
            if sub != "status":
                body.pop("status", None)
            else:
                body = {"status": body["status"]}
            if plural == "devpods" and sub is None and "spec" in body and "hostNetwork" in body["spec"]:
                raise Refused(500, "", "failed to create typed patch object: .spec.hostNetwork: field not declared in schema")
            if plural == "pods" and is_ and "spec" in body and any(is_["spec"].get(k) != v for k, v in body["spec"].items()):
                raise Refused(422, "Invalid", "pod updates may not change fields other than these")
            if kind == "application/apply-patch+yaml":
                said = (key, query["fieldManager"][0], sub)
                prune(o, applied.get(said, {}) if is_ else {}, body)
                applied[said] = copy.deepcopy(body)
            merge(o, body)
            if sub == "status":
                o["status"] = body["status"]
        o["metadata"].setdefault("namespace", ns) if ns else None
        if is_ and o.get("spec") != is_.get("spec"):
            o["metadata"]["generation"] = o["metadata"].get("generation", 1) + 1
        if o == is_:
            return 200, is_
        if o["metadata"].get("deletionTimestamp") and not o["metadata"].get("finalizers"):
            objects[key] = o
            remove(key)
            return 200, o
        store(key, o)
        if plural == "pods" and not is_:
            threading.Thread(target=run_pod, args=(key, o["metadata"]["uid"]), daemon=True).start()
        return 200 if is_ else 201, o

    def json_patch(self, o, ops):
        for op in ops:
            path = [p.replace("~1", "/").replace("~0", "~") for p in op["path"].split("/")[1:]]
            at = o
            for p in path[:-1]:
                at = at[int(p)] if isinstance(at, list) else at.get(p)
                if at is None:
                    raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
            last = int(path[-1]) if isinstance(at, list) and path[-1] != "-" else path[-1]
            if op["op"] == "test":
                if (at[last] if isinstance(at, list) and last < len(at) or isinstance(at, dict) and last in at else None) != op["value"]:
                    raise Refused(422, "Invalid", "testing value failed")
            elif op["op"] == "remove":
                del at[last]
            elif isinstance(at, list) and last == "-":
                at.append(op["value"])
            else:
                at[last] = op["value"]

    def delete(self, key, is_, options, words):
        if not is_:
            raise Refused(404, "NotFound", '%s "%s" not found' % key[::2])
        uid = options.get("preconditions", {}).get("uid")
        if uid and uid != is_["metadata"]["uid"]:
            raise Refused(409, "Conflict", "the UID in the precondition does not match")
        if is_["metadata"].get("deletionTimestamp"):
            return 200, is_
        if is_["metadata"].get("finalizers") or key[0] == "pods":
            o = copy.deepcopy(is_)
            o["metadata"]["deletionTimestamp"] = now()
            store(key, o)
            if key[0] == "pods":
                threading.Thread(target=end_pod, args=(key, o["metadata"]["uid"], 2 if "stubborn" in words else 0.1), daemon=True).start()
            return 200, o
        remove(key)
        return 200, is_

    # --- watches ---

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def say(self, kind, o):
        self.chunk(json.dumps({"type": kind, "object": o}).encode() + b"\n")

    def watch(self, plural, ns, query, words):
        self.note(200)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        since = int(query["resourceVersion"][0])
        end = time.time() + min(int(query["timeoutSeconds"][0]), 3 if "short" in words else 60)
        if since < begin or ("compact" in words and since < counter[0]):
            self.say("ERROR", {"kind": "Status", "reason": "Expired", "code": 410, "message": "too old resource version: %d" % since})
            return self.chunk(b"")
        if "junk" in words:
            return self.chunk(b"{\"type\":\"ADDED\",\"object\":[\n")
        if "huge" in words:
            for _ in range(40):
                self.chunk(b"x" * 1000000)
            return self.close()
        said, last = 0, None
        while time.time() < end:
            with lock:
                new = [h for h in history if h[0] > since and h[2][0] == plural and ns in ("", h[2][1]) and matches(h[3], query)]
                if not new:
                    lock.wait(0.2)
                    if os.path.exists("drop-watches"):
                        return self.close()
                    continue
            for rv, kind, _, o in new:
                since = rv
                said += 1
                if "cut" in words and said == 2:
                    data = json.dumps({"type": kind, "object": o}).encode()
                    self.chunk(data[:len(data) // 2])
                    return self.close()
                self.say(kind, o)
                if "stale" in words and last:
                    self.say("MODIFIED", last)
                last = o
            self.say("BOOKMARK", {"kind": "Any", "metadata": {"resourceVersion": str(since)}})
        self.chunk(b"")

    def close(self):
        self.close_connection = True
        try:
            self.connection.shutdown(2)
        except OSError:
            pass

    # --- exec ---

    def frame(self, channel, data, kind=2):
        data = (bytes([channel]) if channel is not None else b"") + data
        head = bytes([0x80 | kind]) + (bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data)) if len(data) < 65536
                                       else b"\x7f" + struct.pack(">Q", len(data)))
        self.wfile.write(head + data)
        self.wfile.flush()

    def read_frame(self):
        a, b = self.rfile.read(2)
        n = b & 127
        n = struct.unpack(">H", self.rfile.read(2))[0] if n == 126 else struct.unpack(">Q", self.rfile.read(8))[0] if n == 127 else n
        assert b & 128, "a client masks"
        mask = self.rfile.read(4)
        return a & 15, bytes(c ^ mask[i % 4] for i, c in enumerate(self.rfile.read(n)))

    def exec(self, path, query, words):
        _, _, _, _, ns, _, name, _ = path.split("/")
        with lock:
            pod = objects.get(("pods", ns, name))
        if not pod:
            raise Refused(404, "NotFound", 'pods "%s" not found' % name)
        if "deny-exec" in words or "cut-exec" in words:
            raise Refused(403, "Forbidden", 'pods "%s" is forbidden: User "alice" cannot create resource "pods/exec"' % name)
        if query["container"] != ["shell"]:
            raise Refused(400, "BadRequest", "container not found")
        if self.headers.get("Accept", "*/*") != "*/*":
            raise Refused(406, "NotAcceptable", "only the following media types are accepted")
        tty = query["tty"] == ["true"]
        assert not (tty and query["stderr"] == ["true"])
        offered = [p.strip() for p in self.headers["Sec-WebSocket-Protocol"].split(",")]
        chosen = "v4.channel.k8s.io" if "v4" in words else "v5.channel.k8s.io"
        assert chosen in offered and self.headers["Sec-WebSocket-Version"] == "13"
        key = self.headers["Sec-WebSocket-Key"] + ("x" if "bad-accept" in words else "")
        accept = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        self.note(101)
        self.close_connection = True
        self.wfile.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                          "Sec-WebSocket-Protocol: %s\r\n\r\n" % (accept, chosen)).encode())
        self.frame(None, b"ping", 9)
        env = dict(os.environ, **{v["name"]: v.get("value", "") for v in pod["spec"]["containers"][0].get("env", [])})
        env.pop("HOME")
        self.run(query["command"], tty, env, words)

    def run(self, argv, tty, env, words):
        try:
            if tty:
                master, slave = pty.openpty()
                p = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True, preexec_fn=take_terminal)
                os.close(slave)
                to, outs = master, {master: 1}
            else:
                p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
                to, outs = p.stdin.fileno(), {p.stdout.fileno(): 1, p.stderr.fileno(): 2}
        except OSError as x:
            self.frame(3, json.dumps({"status": "Failure", "reason": "InternalError", "message": "error executing command: " + x.strerror}).encode())
            return self.frame(None, struct.pack(">H", 1000), 8)

        def inward():
            try:
                while True:
                    kind, data = self.read_frame()
                    if kind == 8:
                        return
                    if kind != 2 or not data:
                        continue
                    if data[0] == 0:
                        os.write(to, data[1:])
                    elif data[0] == 4 and tty:
                        size = json.loads(data[1:])
                        fcntl.ioctl(to, termios.TIOCSWINSZ, struct.pack("HHHH", size["Height"], size["Width"], 0, 0))
                    elif data == b"\xff\0" and not tty:
                        p.stdin.close()
            except (OSError, ValueError):
                pass

        threading.Thread(target=inward, daemon=True).start()
        while outs:
            for fd in select.select(list(outs), [], [])[0]:
                try:
                    data = os.read(fd, 30000)
                except OSError:
                    data = b""
                if data:
                    self.frame(outs[fd], data)
                else:
                    del outs[fd]
        code = p.wait()
        if "break-exec" in words:
            return self.close()
        ok = {"metadata": {}, "status": "Success"}
        bad = {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated with exit code %d" % code,
               "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}
        self.frame(3, json.dumps(bad if code else ok).encode())
        self.frame(None, struct.pack(">H", 1000), 8)


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    if os.path.exists("server.pem"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("server.pem")
        context.load_verify_locations("ca.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    start(server)
    announce("port", "%d\n" % server.server_address[1])
    until_stopped(600)
