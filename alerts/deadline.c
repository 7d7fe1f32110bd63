/*
 * alerts/deadline.c - the time that questions may take.
 * One job: a flag that is set when it is over.
 * Floor: 4 (uses base).
 */
#include "alerts/deadline.h"

static void *
deadline_wait(void *ctx)
{
	struct deadline *d = ctx;
	int r = 0;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->over && r == 0)
		r = pthread_cond_timedwait(&d->changed, &d->lock, &d->at);
	if (!d->over)
		atomic_store(&d->cancel, true);
	(void)pthread_mutex_unlock(&d->lock);
	return NULL;
}

int
deadline_start(struct deadline *d, struct span after)
{
	pthread_condattr_t attr;
	int64_t at = mono_now().ns + after.ns;

	*d = (struct deadline){ .at = { at / NS_PER_S, at % NS_PER_S } };
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&d->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return err_origin(-pthread_create(&d->thread, NULL, deadline_wait, d));
}

void
deadline_stop(struct deadline *d)
{
	(void)pthread_mutex_lock(&d->lock);
	d->over = true;
	(void)pthread_cond_signal(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
	(void)pthread_join(d->thread, NULL);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
}
