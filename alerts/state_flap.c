/*
 * alerts/state_flap.c - alerts that come and go.
 * One job: count an alert's changes of late, and say when they are too many and when it is over.
 * Floor: 4 (uses base).
 */
#include "alerts/state_internal.h"

/* The rule's: so many changes; 0: it does not look. */
static unsigned
flap_max(const struct state_alert *sa)
{
	unsigned n = sa->a.rule != NULL ? sa->a.rule->flap_changes : 0;

	return n < STATE_FLAPS_MAX ? n : STATE_FLAPS_MAX;
}

static void
prune(struct state_alert *sa, struct wall at)
{
	int64_t from = at.ns - (sa->a.rule != NULL ? sa->a.rule->flap_within.ns : 0);
	unsigned i;

	for (i = 0; i < sa->n_flaps && sa->flaps[i].ns <= from; i++)
		;
	if (i > 0) {
		sa->n_flaps -= i;
		memmove(sa->flaps, sa->flaps + i, sa->n_flaps * sizeof(*sa->flaps));
		sa->dirty = true;
	}
	sa->a.n_flaps = sa->n_flaps;
}

bool
state_flap_note(struct state_alert *sa, struct wall at)
{
	if (flap_max(sa) == 0)
		return false;
	if (sa->flaps == NULL)
		sa->flaps = calloc(STATE_FLAPS_MAX, sizeof(*sa->flaps));
	if (sa->flaps == NULL)
		return false;
	prune(sa, at);
	if (sa->n_flaps == STATE_FLAPS_MAX)
		memmove(sa->flaps, sa->flaps + 1, --sa->n_flaps * sizeof(*sa->flaps));
	sa->flaps[sa->n_flaps++] = at;
	sa->a.n_flaps = sa->n_flaps;
	if (sa->a.flapping || sa->n_flaps < flap_max(sa))
		return false;
	sa->a.flapping = true;
	return true;
}

bool
state_flap_known(struct state_alert *sa, struct wall at)
{
	if (flap_max(sa) == 0)
		return false;
	prune(sa, at);
	return sa->n_flaps > 0;
}

bool
state_flap_over(struct state_alert *sa, struct wall at)
{
	if (!sa->a.flapping || state_flap_known(sa, at))
		return false;
	sa->a.flapping = false;
	return true;
}
