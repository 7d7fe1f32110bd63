/*
 * query/watch.c - Ctrl-C.
 * One job: what the caller's flag says, told to every stage of a run within some 20 ms.
 * Floor: 3 (uses base).
 */
#include "query/watch.h"

#include <time.h>

#include "base/wall.h"

enum { PERIOD_MS = 20 };

static void
tell(struct watch *w)
{
	size_t i;

	for (i = 0; i < w->n_envs; i++)
		atomic_store(&w->envs[i]->cancelled, true);
}

static void *
watch_thread(void *ctx)
{
	struct watch *w = ctx;
	struct timespec until;
	int64_t ns;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->quit) {
		if (atomic_load_explicit(w->flag, memory_order_relaxed))
			tell(w);
		ns = wall_now().ns + PERIOD_MS * NS_PER_MS;
		until.tv_sec = ns / NS_PER_S;
		until.tv_nsec = ns % NS_PER_S;
		(void)pthread_cond_timedwait(&w->changed, &w->lock, &until);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

void
watch_start(struct watch *w, const atomic_bool *flag)
{
	*w = (struct watch){ .flag = flag };
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	w->running = flag != NULL && pthread_create(&w->thread, NULL, watch_thread, w) == 0;
}

void
watch_stop(struct watch *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->quit = true;
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	if (w->running)
		(void)pthread_join(w->thread, NULL);
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
}

void
watch_add(struct watch *w, struct query_env *env)
{
	(void)pthread_mutex_lock(&w->lock);
	if (w->n_envs < WATCH_ENVS_MAX)
		w->envs[w->n_envs++] = env;
	(void)pthread_mutex_unlock(&w->lock);
}

void
watch_remove(struct watch *w, struct query_env *env)
{
	size_t i;

	(void)pthread_mutex_lock(&w->lock);
	for (i = w->n_envs; i > 0; i--)
		if (w->envs[i - 1] == env) {
			memmove(&w->envs[i - 1], &w->envs[i],
			    (w->n_envs - i) * sizeof(struct query_env *));
			w->n_envs--;
			break;
		}
	(void)pthread_mutex_unlock(&w->lock);
}
