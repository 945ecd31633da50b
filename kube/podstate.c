/* SPDX-License-Identifier: MIT
 *
 * The deepest cause counts: no node takes it, then what keeps a container waiting, with that of the init containers first.
 */
#include "config.h"
#include "kube/podstate.h"

const char *pod_phase_name(enum pod_phase p)
{
	static const char *const names[] = { "Absent", "Pending", "Ready", "Failed", "Terminating" };

	return names[p];
}

static int is_condition(const struct jnode *pod, struct slice type, struct slice status, struct pod_state *why)
{
	const struct jnode *c = tree_element(tree_at(pod, "status.conditions"), "type", type);

	if (!slice_eq(tree_text(c, "status"), status))
		return 0;
	if (why) {
		why->reason = tree_text(c, "reason");
		why->message = tree_text(c, "message");
	}
	return 1;
}

/* What a container waits for or died of; plain: only that it is being made. */
static int of_container(const struct jnode *c, struct pod_state *s)
{
	const struct jnode *waits = tree_at(c, "state.waiting"), *died = tree_at(c, "state.terminated");

	if (died && tree_int(died, "exitCode") == 0)
		return 0;
	if (!waits && !died)
		return 0;
	s->reason = tree_text(waits ? waits : died, "reason");
	s->message = tree_text(waits ? waits : died, "message");
	return !slice_in_words(s->reason, "ContainerCreating PodInitializing") && s->reason.n;
}

static int of_containers(const struct jnode *list, struct pod_state *s)
{
	for (const struct jnode *c = list && list->kind == JSON_ARRAY ? list->first : NULL; c; c = c->next)
		if (of_container(c, s))
			return 1;
	return 0;
}

void pod_state(struct pod_state *s, const struct jnode *pod)
{
	*s = (struct pod_state){ POD_ABSENT, SLICE("NoPod"), SLICE("") };
	if (!pod)
		return;
	if (tree_at(pod, "metadata.deletionTimestamp")) {
		*s = (struct pod_state){ POD_ENDS, SLICE("Terminating"), SLICE("") };
		return;
	}
	if (slice_in_words(tree_text(pod, "status.phase"), "Failed Succeeded")) {
		*s = (struct pod_state){ POD_FAILED, tree_text(pod, "status.reason"), tree_text(pod, "status.message") };
		if (!s->reason.n)
			of_containers(tree_at(pod, "status.containerStatuses"), s);
		if (!s->reason.n)
			s->reason = SLICE("Ended");
		return;
	}
	if (is_condition(pod, SLICE("Ready"), SLICE("True"), NULL)) {
		*s = (struct pod_state){ POD_READY, SLICE("Ready"), SLICE("") };
		return;
	}
	s->phase = POD_WAITS;
	if (!is_condition(pod, SLICE("PodScheduled"), SLICE("False"), s) &&
	    !of_containers(tree_at(pod, "status.initContainerStatuses"), s))
		of_containers(tree_at(pod, "status.containerStatuses"), s);
	if (!s->reason.n || slice_eq(s->reason, SLICE("NoPod")))
		s->reason = tree_text(pod, "spec.nodeName").n ? SLICE("ContainerCreating") : SLICE("Pending");
}
