/*
 * alerts/deadline.h - the time that questions may take.
 * One job: a flag that is set when it is over.
 * Floor: 4 (uses base).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/wall.h"

/* cancel goes to the store's runs. */
struct deadline {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct timespec at;
	bool over;
	atomic_bool cancel;
};

/** deadline_start(d, after): a thread that sets cancel then; -errno: there is none, and nothing to stop. */
int deadline_start(struct deadline *d, struct span after);
void deadline_stop(struct deadline *d);
