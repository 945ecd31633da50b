/* SPDX-License-Identifier: MIT
 *
 * Any bytes as what a cluster says: events of a watch, cut where the first byte says; frames of a WebSocket; a kubeconfig; what a
 * program says of who one is.
 */
#include "config.h"
#include "kube/kubeconfig.h"
#include "kube/credential.h"
#include "kube/events.h"
#include "kube/frames.h"
#include "kube/podstate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want_message(struct err *e)
{
	if (!e->msg)
		abort();
	err_release(e);
}

/* What is handed on has what its type promises, and pods of any kind have a state. */
static int on_event(void *user, struct kube_event *v)
{
	struct pod_state s;

	if (!v->object || (v->type == EVENT_BOOKMARK && !v->version.n) ||
	    (v->type < EVENT_BOOKMARK && (!v->name.n || !v->version.n)))
		abort();
	pod_state(&s, v->object);
	if (s.phase != POD_READY && s.phase != POD_ENDS && s.phase != POD_ABSENT && s.phase != POD_FAILED && !s.reason.n)
		abort();
	++*(size_t *)user;
	return 0;
}

/* How many events there are does not depend on where the stream is cut. */
static void as_events(struct slice text)
{
	size_t whole = 0, cut = 0, piece;
	struct kube_events a = { BUF_INIT }, b = { BUF_INIT };
	struct err e = ERR_INIT;
	int ra, rb = 0;

	if (!text.n)
		return;
	piece = (size_t)(unsigned char)*text.p + 1;
	text.p++, text.n--;
	ra = kube_events_feed(&a, text, on_event, &whole, &e);
	if (ra)
		want_message(&e);
	while (!rb && text.n) {
		size_t n = text.n < piece ? text.n : piece;

		rb = kube_events_feed(&b, (struct slice){ text.p, n }, on_event, &cut, &e);
		text = (struct slice){ text.p + n, text.n - n };
	}
	err_release(&e);
	if (ra != rb || whole != cut)
		abort();
	kube_events_release(&a);
	kube_events_release(&b);
}

static void as_frames(struct slice text)
{
	struct frame f;
	struct err e = ERR_INIT;
	size_t n = text.n;
	int rc;

	while ((rc = frame_take(&text, &f, &e)) > 0) {
		if (text.n >= n || f.payload.n > n)
			abort();
		n = text.n;
	}
	if (rc)
		want_message(&e);
}

static void as_config(struct slice text)
{
	struct kube_config c = { 0 };
	struct kube_choice choice = { .context = NULL };
	struct err e = ERR_INIT;

	/* One that names files would read them. */
	if (memmem(text.p, text.n, "client-", 7) || memmem(text.p, text.n, "certificate", 11))
		return;
	if (kube_config_parse(&c, text.p, text.n, "/nonexistent", &choice, &e))
		want_message(&e);
	else if (!c.server || !c.namespace || !c.context)
		abort();
	kube_config_release(&c);
}

static void as_credential(struct slice text)
{
	struct credential c = { 0 };
	struct err e = ERR_INIT;

	if (credential_parse(&c, text, SLICE("v1"), &e))
		want_message(&e);
	else if (c.token && strpbrk(c.token, "\r\n "))
		abort();
	credential_release(&c);
	kube_time(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { size ? (const char *)data : "", size };

	as_events(text);
	as_frames(text);
	as_config(text);
	as_credential(text);
	return 0;
}
