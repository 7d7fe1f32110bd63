/*
 * store/block_zstd.c - contexts for decompression.
 * One job: lend the few that threads need at once to the many blocks that are opened one after the other.
 * Floor: 2 (uses base; zstd).
 *
 * A context has 160 KB; made anew for each block, it cost as much as counting its rows.
 */
#include <pthread.h>
#include <zstd.h>

#include "store/block_internal.h"

enum { KEPT_MAX = 64 };

/* Invariants: kept[0..n) are not in use; more than KEPT_MAX that come back are freed. */
struct block_zstd {
	pthread_mutex_t lock;
	ZSTD_DCtx *kept[KEPT_MAX];
	size_t n;
};

int
block_zstd_new(struct block_zstd **ret)
{
	struct block_zstd *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return err_origin(-ENOMEM);
	(void)pthread_mutex_init(&z->lock, NULL);
	*ret = z;
	return 0;
}

struct block_zstd *
block_zstd_free(struct block_zstd *z)
{
	size_t i;

	if (z == NULL)
		return NULL;
	for (i = 0; i < z->n; i++)
		(void)ZSTD_freeDCtx(z->kept[i]);
	(void)pthread_mutex_destroy(&z->lock);
	free(z);
	return NULL;
}

ZSTD_DCtx *
block_zstd_take(struct block_zstd *z)
{
	ZSTD_DCtx *ctx = NULL;

	if (z != NULL) {
		(void)pthread_mutex_lock(&z->lock);
		if (z->n > 0)
			ctx = z->kept[--z->n];
		(void)pthread_mutex_unlock(&z->lock);
	}
	return ctx != NULL ? ctx : ZSTD_createDCtx();
}

void
block_zstd_give(struct block_zstd *z, ZSTD_DCtx *ctx)
{
	if (z != NULL && ctx != NULL) {
		(void)pthread_mutex_lock(&z->lock);
		if (z->n < KEPT_MAX) {
			z->kept[z->n++] = ctx;
			ctx = NULL;
		}
		(void)pthread_mutex_unlock(&z->lock);
	}
	(void)ZSTD_freeDCtx(ctx);
}
