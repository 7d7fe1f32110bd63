/*
 * query/watch.h - Ctrl-C.
 * One job: what the caller's flag says, told to every stage of a run within some 20 ms.
 * Floor: 3 (uses base).
 *
 * Scanning looks at the flag itself; stages that sort or merge for long look at their environment, which this thread
 * sets.
 */
#pragma once

#include <pthread.h>

#include "query/stage.h"

enum {
	WATCH_ENVS_MAX = 256
}; /* a subquery beyond it is not told; its scan looks at the flag itself */

struct watch {
	const atomic_bool *flag;
	pthread_t thread;
	bool running, quit;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct query_env *envs[WATCH_ENVS_MAX];
	size_t n_envs;
};

/** watch_start(w, flag): ${flag} may be NULL.  Without a thread to spare the run goes on unwatched. */
void watch_start(struct watch *w, const atomic_bool *flag);
void watch_stop(struct watch *w);

/** watch_add(w, env), watch_remove(w, env): in the order of a stack. */
void watch_add(struct watch *w, struct query_env *env);
void watch_remove(struct watch *w, struct query_env *env);
