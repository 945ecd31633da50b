/* SPDX-License-Identifier: MIT
 *
 * kube/: YAML, kubeconfig, who one is, events of watches, frames, what pods are up to.
 */
#include "config.h"
#include "base/alloc.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/credential.h"
#include "kube/events.h"
#include "kube/exec.h"
#include "kube/frames.h"
#include "kube/podstate.h"
#include "kube/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* --- YAML --- */

static void yaml_is(const char *text, enum yaml_words words, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = yaml_to_json(slice_of(text), words, &b, &e);

	assert_string_equal(rc ? e.msg : buf_str(&b), want);
	err_release(&e);
	buf_release(&b);
}

static void yaml(void **state)
{
	(void)state;
	yaml_is("a: 1\nb: [x, 'y', true]\n", YAML_TYPED, "{\"a\":1,\"b\":[\"x\",\"y\",true]}");
	yaml_is("a: 1\nb: [x, 'y', true]\n", YAML_TEXT, "{\"a\":\"1\",\"b\":[\"x\",\"y\",\"true\"]}");
	yaml_is("{\"a\": {\"b\": null, \"c\": \"null\"}}", YAML_TEXT, "{\"a\":{\"b\":null,\"c\":\"null\"}}");
	yaml_is("- 007\n- -12\n- 1e3\n- ~\n- \"1\"\n- yes\n", YAML_TYPED, "[\"007\",-12,\"1e3\",null,\"1\",\"yes\"]");
}

static void yaml_blocks(void **state)
{
	(void)state;
	yaml_is("a:\n- b: |\n    x\n    y\n  c:\n- {}\n", YAML_TYPED, "{\"a\":[{\"b\":\"x\\ny\\n\",\"c\":null},{}]}");
	yaml_is("a: &x [1]\nb: *x\n", YAML_TYPED, "line 2: references ('*name') are not read");
	yaml_is("a: 1\n---\nb: 1\n", YAML_TYPED, "line 2: a second document, where one is read");
	yaml_is("[a]: 1\n", YAML_TYPED, "line 1: a key that is no word");
	yaml_is("a: [\n", YAML_TYPED, "line 2: did not find expected node content");
	yaml_is("", YAML_TYPED, "nothing is in it");
	struct buf deep = BUF_INIT;

	for (int i = 0; i < 200; i++)
		buf_addc(&deep, '[');
	yaml_is(deep.p, YAML_TYPED, "line 1: it is nested too deeply");
	buf_release(&deep);
}

/* --- kubeconfig --- */

static const char config_text[] =
	"apiVersion: v1\nkind: Config\ncurrent-context: one\n"
	"clusters:\n"
	"- name: c\n  cluster: {server: 'https://h:6443/', certificate-authority-data: UEVN, tls-server-name: api}\n"
	"- name: plain\n  cluster: {server: 'http://h:80'}\n"
	"- name: near\n  cluster: {server: 'http://127.0.0.1:80', insecure-skip-tls-verify: true}\n"
	"- name: odd\n  cluster: {server: 'http://127.0.0.1.evil:80'}\n"
	"- name: who\n  cluster: {server: 'http://localhost:80@h'}\n"
	"- name: bad\n  cluster: {server: 'ftp://h'}\n"
	"contexts:\n"
	"- name: one\n  context: {cluster: c, user: 12, namespace: team}\n"
	"- name: plain\n  context: {cluster: plain, user: 12}\n"
	"- name: near\n  context: {cluster: near, user: 12}\n"
	"- name: odd\n  context: {cluster: odd, user: 12}\n"
	"- name: who\n  context: {cluster: who, user: 12}\n"
	"- name: bad\n  context: {cluster: bad}\n"
	"- name: half\n  context: {cluster: c, user: half}\n"
	"- name: plugin\n  context: {cluster: c, user: plugin}\n"
	"- name: nobody\n  context: {cluster: c, user: missing}\n"
	"- name: asks\n  context: {cluster: c, user: asks}\n"
	"users:\n"
	"- name: 12\n  user: {token: 0123}\n"
	"- name: half\n  user: {client-certificate-data: UEVN}\n"
	"- name: plugin\n  user: {as: someone, as-groups: [g, h], exec: {apiVersion: client.authentication.k8s.io/v1, command: "
	"bin/who,\n"
	"    args: [-x, 1], env: [{name: A, value: b}], interactiveMode: Never}}\n"
	"- name: asks\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: who, interactiveMode: Always}}\n";

static void config_is(const char *context, const char *want)
{
	struct kube_config c = { 0 };
	struct kube_choice choice = { .context = context };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc = kube_config_parse(&c, config_text, sizeof config_text - 1, "/dir", &choice, &e);

	if (rc)
		buf_adds(&b, e.msg);
	else
		buf_addf(&b, "%s %s %s ca=%s token=%s%s", c.context, c.server, c.namespace, buf_str(&c.ca), c.token ? c.token : "",
			 c.insecure ? " insecure" : "");
	for (size_t i = 0; !rc && i < c.plugin.argv.n; i++)
		buf_addf(&b, " %s", c.plugin.argv.v[i]);
	for (size_t i = 0; !rc && i < c.groups.n; i++)
		buf_addf(&b, " %s+%s", c.as, c.groups.v[i]);
	assert_string_equal(b.p, want);
	buf_release(&b);
	err_release(&e);
	kube_config_release(&c);
}

static void configurations(void **state)
{
	(void)state;
	config_is(NULL, "one https://h:6443 team ca=PEM token=0123");
	config_is("plain", "'http://h:80' is spoken to without TLS: who you are is not told there");
	config_is("odd", "'http://127.0.0.1.evil:80' is spoken to without TLS: who you are is not told there");
	config_is("who", "'http://localhost:80@h' is spoken to without TLS: who you are is not told there");
	config_is("near", "near http://127.0.0.1:80 default ca= token=0123 insecure");
	config_is("bad", "the kubeconfig 'kubeconfig': the server 'ftp://h' is at no https address");
	config_is("half", "the kubeconfig 'kubeconfig': a certificate and its key come together");
	config_is("plugin", "plugin https://h:6443 default ca=PEM token= /dir/bin/who -x 1 someone+g someone+h");
	config_is("nobody", "the kubeconfig 'kubeconfig' has no user 'missing'");
	config_is("asks", "the kubeconfig 'kubeconfig': 'who' wants to ask people, which is not done here");
	config_is("none", "the kubeconfig 'kubeconfig' has no context 'none'");
}

static void put(const char *dir, const char *name, const char *text)
{
	struct buf path = BUF_INIT;
	FILE *f;

	buf_addf(&path, "%s/%s", dir, name);
	f = fopen(path.p, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	buf_release(&path);
}

static void remove_folder(const char *dir)
{
	static const char *const names[] = { "token", "ca.crt", "namespace", "" };
	struct buf path = BUF_INIT;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		buf_trim(&path, 0);
		buf_addf(&path, "%s/%s", dir, names[i]);
		assert_int_equal(remove(path.p), 0);
	}
	buf_release(&path);
}

static void in_a_pod(void **state)
{
	char dir[] = "/tmp/gx-unit-XXXXXX";
	struct kube_config c = { 0 };
	struct credential who = { 0 };
	struct kube_choice choice = { .account = dir };
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("KUBECONFIG", "/nonexistent/config", 1);
	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_int_equal(kube_config_load(&c, &choice, &e), ERR_NOTFOUND);
	err_release(&e);
	put(dir, "token", "abc\n");
	put(dir, "ca.crt", "PEM");
	put(dir, "namespace", "team");
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
	assert_int_equal(kube_config_load(&c, &choice, &e), 0);
	assert_string_equal(c.server, "https://[fd00::1]:6443");
	assert_string_equal(c.namespace, "team");
	assert_int_equal(credential_find(&who, &c, &e), 0);
	assert_string_equal(who.token, "abc");
	assert_true(credential_holds(&who, time(NULL)) && !credential_holds(&who, time(NULL) + 61));
	put(dir, "token", "a b\n");
	assert_int_equal(credential_find(&who, &c, &e), ERR_INVALID);
	assert_null(strstr(e.msg, "a b"));
	err_release(&e);
	credential_release(&who);
	kube_config_release(&c);
	remove_folder(dir);
}

static void who_is(const char *text, const char *want)
{
	struct credential c = { 0 };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc = credential_parse(&c, slice_of(text), SLICE("client.authentication.k8s.io/v1"), &e);

	if (rc)
		buf_adds(&b, e.msg);
	else
		buf_addf(&b, "%s %lld", c.token ? c.token : "certificate", (long long)c.until);
	assert_string_equal(b.p, want);
	buf_release(&b);
	err_release(&e);
	credential_release(&c);
}

#define SAYS(status) "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{" status "}}"

static void credentials(void **state)
{
	(void)state;
	who_is(SAYS("\"token\":\"t\""), "t 0");
	who_is(SAYS("\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T01:00:00Z\""), "t 3540");
	who_is(SAYS("\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\""), "certificate 0");
	who_is(SAYS("\"clientCertificateData\":\"C\""), "a certificate and its key come together");
	who_is(SAYS(""), "it says no token and no certificate");
	who_is(SAYS("\"token\":\"a\\nHost: evil\""), "it says no token and no certificate");
	who_is(SAYS("\"token\":\"t\",\"expirationTimestamp\":\"tomorrow\""), "'expirationTimestamp' is no time");
	who_is("{}", "it prints no ExecCredential of client.authentication.k8s.io/v1");
	who_is("secret", "it prints no JSON");
}

static void times(void **state)
{
	(void)state;
	assert_int_equal(kube_time(SLICE("2026-11-28T12:00:00Z")), 1795867200);
	assert_int_equal(kube_time(SLICE("2026-11-28T12:00:00.123456Z")), 1795867200);
	assert_int_equal(kube_time(SLICE("2026-11-28T14:00:00+02:00")), 1795867200);
	assert_int_equal(kube_time(SLICE("2026-11-28 12:00:00Z")), -1);
	assert_int_equal(kube_time(SLICE("2026-11-28T12:00:00")), -1);
	assert_int_equal(kube_time(SLICE("2026-11-28T12:00:00Zx")), -1);
	assert_int_equal(kube_time(SLICE("")), -1);
}

/* --- watches --- */

static int note(void *user, struct kube_event *v)
{
	struct buf *b = user;

	if (v->type == EVENT_ERROR)
		buf_addf(b, "%ld", v->code);
	else
		buf_addf(b, "%d%.*s/%.*s ", (int)v->type, (int)v->name.n, v->name.p, (int)v->version.n, v->version.p);
	return 0;
}

#define EVENT(type, name, version)                                                                                                 \
	"{\"type\":\"" type "\",\"object\":{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}}\n"

static void events_are(const char *text, const char *want)
{
	/* However it is cut. */
	for (size_t piece = 1; piece < 400; piece = piece * 2 + 1) {
		struct kube_events s = { BUF_INIT };
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		int rc = 0;

		for (size_t i = 0, n = strlen(text); i < n && !rc; i += piece)
			rc = kube_events_feed(&s, (struct slice){ text + i, n - i < piece ? n - i : piece }, note, &b, &e);
		if (rc)
			buf_adds(&b, e.msg);
		assert_string_equal(buf_str(&b), want);
		buf_release(&b);
		err_release(&e);
		kube_events_release(&s);
	}
}

static void events(void **state)
{
	(void)state;
	events_are(EVENT("ADDED", "a", "1") EVENT("MODIFIED", "a", "2") "\n" EVENT("DELETED", "a", "3"), "0a/1 1a/2 2a/3 ");
	events_are(EVENT("BOOKMARK", "", "7"), "3/7 ");
	events_are("{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"too old\"}}\n", "410");
	events_are("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n",
		   "an event of the cluster makes no sense: its object has no name or version");
	events_are("{\"type\":\"OTHER\",\"object\":{}}\n",
		   "an event of the cluster makes no sense: it is of no type, or of no object");
	events_are(EVENT("ADDED", "a", "1") "{\"type\":\"ADDED\",\"obj", "0a/1 ");
}

static void large_event(void **state)
{
	struct kube_events s = { BUF_INIT };
	struct err e = ERR_INIT;
	char *mega = xmalloc(1 << 20);
	int rc = 0, n = 0;

	(void)state;
	memset(mega, 'x', 1 << 20);
	while (!rc && n++ < 20)
		rc = kube_events_feed(&s, (struct slice){ mega, 1 << 20 }, note, NULL, &e);
	assert_int_equal(rc, ERR_LIMIT);
	assert_true(n < 12);
	free(mega);
	err_release(&e);
	kube_events_release(&s);
}

/* --- frames --- */

static void frames(void **state)
{
	static const size_t sizes[] = { 0, 5, 125, 126, 65535, 65536, 70000 };
	const uint8_t mask[4] = { 1, 2, 3, 4 };
	char accept[29];

	(void)state;
	frame_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b = BUF_INIT, data = BUF_INIT;
		struct frame f;

		for (size_t k = 0; k < sizes[i]; k++)
			buf_addc(&data, (char)k);
		frame_add(&b, FRAME_BINARY, (struct slice){ buf_str(&data), data.len }, mask);
		/* A server's is the same without the mask. */
		size_t head = sizes[i] < 126 ? 2 : sizes[i] < 65536 ? 4 : 10;

		assert_int_equal(b.len, head + 4 + sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal((uint8_t)(b.p[head + 4 + k] ^ (int)mask[k % 4]), (uint8_t)k);
		b.p[1] = (char)(b.p[1] & 127);
		memmove(b.p + head, b.p + head + 4, sizes[i]);
		for (size_t k = 0; k < head + sizes[i]; k += sizes[i] / 7 + 1)
			assert_int_equal(frame_take(&(struct slice){ b.p, k }, &f, NULL), 0);
		struct slice in = { b.p, head + sizes[i] };

		assert_int_equal(frame_take(&in, &f, NULL), 1);
		assert_true(f.payload.n == sizes[i] && f.last && !in.n);
		buf_release(&b);
		buf_release(&data);
	}
}

static void bad_frames(void **state)
{
	struct frame f;

	(void)state;
	assert_int_equal(frame_take(&(struct slice){ "\x82\x81xxxxx", 7 }, &f, NULL), ERR_NETWORK);
	assert_int_equal(frame_take(&(struct slice){ "\xc2\x01x", 3 }, &f, NULL), ERR_NETWORK);
	assert_int_equal(frame_take(&(struct slice){ "\x83\x01x", 3 }, &f, NULL), ERR_NETWORK);
	assert_int_equal(frame_take(&(struct slice){ "\x09\x01x", 3 }, &f, NULL), ERR_NETWORK);
	assert_int_equal(frame_take(&(struct slice){ "\x89\x7e\x01\x00", 4 }, &f, NULL), ERR_NETWORK);
	assert_int_equal(frame_take(&(struct slice){ "\x82\x7f\x80\0\0\0\0\0\0\1", 10 }, &f, NULL), ERR_LIMIT);
	assert_int_equal(frame_take(&(struct slice){ "\x82\x7f\0\0\0\0\1\0\0\0", 10 }, &f, NULL), ERR_LIMIT);
}

/* --- pods --- */

static void pod_is(const char *text, const char *want)
{
	struct arena a = ARENA_INIT;
	struct jnode *o = NULL;
	struct pod_state s;
	struct buf b = BUF_INIT;

	if (text)
		assert_int_equal(json_tree_parse(&a, slice_of(text), &o, NULL), 0);
	pod_state(&s, o);
	buf_addf(&b, "%s %.*s %.*s", pod_phase_name(s.phase), (int)s.reason.n, s.reason.p, (int)s.message.n, s.message.p);
	assert_string_equal(b.p, want);
	buf_release(&b);
	arena_release(&a);
}

static void pods(void **state)
{
	(void)state;
	pod_is(NULL, "Absent NoPod ");
	pod_is("{\"metadata\":{}}", "Pending Pending ");
	pod_is("{\"metadata\":{\"deletionTimestamp\":\"x\"},\"status\":{\"phase\":\"Running\"}}", "Terminating Terminating ");
	pod_is("{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", "Ready Ready ");
	pod_is("{\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\","
	       "\"message\":\"0/1\"}]}}",
	       "Pending Unschedulable 0/1");
	pod_is("{\"spec\":{\"nodeName\":\"n\"},\"status\":{\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
	       "\"ContainerCreating\"}}}]}}",
	       "Pending ContainerCreating ");
	pod_is("{\"status\":{\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\",\"message\":\"m\"}}}]}"
	       "}",
	       "Pending ImagePullBackOff m");
	pod_is("{\"status\":{\"initContainerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":0}}},{\"state\":{\"terminated\":"
	       "{\"exitCode\":3,\"reason\":\"Error\"}}}],\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
	       "\"PodInitializing\"}}}]}}",
	       "Pending Error ");
	pod_is("{\"status\":{\"phase\":\"Failed\",\"reason\":\"OutOfmemory\",\"message\":\"no\"}}", "Failed OutOfmemory no");
}

static void quoting(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	kube_quote(&b, SLICE("a/b c&d=\xc3\xa9\0~"));
	assert_string_equal(b.p, "a%2Fb%20c%26d%3D%C3%A9%00~");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(yaml),	      cmocka_unit_test(yaml_blocks),
					    cmocka_unit_test(configurations), cmocka_unit_test(in_a_pod),
					    cmocka_unit_test(credentials),    cmocka_unit_test(times),
					    cmocka_unit_test(events),	      cmocka_unit_test(large_event),
					    cmocka_unit_test(frames),	      cmocka_unit_test(bad_frames),
					    cmocka_unit_test(pods),	      cmocka_unit_test(quoting) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
