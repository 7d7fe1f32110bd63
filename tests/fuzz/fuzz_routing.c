/*
 * tests/fuzz/fuzz_routing.c - any bytes as alertmanager.yml.
 * One job: a configuration comes out and takes any alert, or at least one line says why not; secrets are never shown.
 */
#include <stdlib.h>

#include "alerts/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(void *ctx, const struct route *r)
{
	size_t *n = ctx;

	(void)r;
	(*n)++;
	return 0;
}

static void
use(const struct routing *r)
{
	struct label l[] = { { STR("alertname"), STR("Down") }, { STR("job"), STR("api") },
		{ STR("severity"), STR("page") } };
	const struct labels labels = { l, ARRAY_LEN(l) };
	const struct route *root = &r->root;
	size_t n = 0, i;

	(void)routing_match(r, &labels, count, &n);
	if (n == 0 || routing_receiver(r, root->receiver) == NULL)
		abort();
	for (i = 0; i < root->n_routes; i++)
		(void)routing_in_interval(r, root->routes[i].mute, root->routes[i].n_mute,
		    (struct wall){ INT64_C(1714996800000000000) });
	if (str_find(r->text, STR("PASSWORD")) != SIZE_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	AUTO(routing_free) struct routing *r = NULL;
	int res;

	/* The word stands in the seeds as a secret's value alone; where the fuzzer puts it elsewhere it is none. */
	if (memmem(data, size, "PASSWORD", 8) != NULL &&
	    memmem(data, size, "\n    api_url: PASSWORD\n", 23) == NULL)
		return 0;
	res = routing_parse("x.yml", str_of(data, size), STR("/s"), &r, &errors, &notes);
	if (res == 0)
		use(r);
	if (res > 0 && (errors.n == 0 || errors.p[errors.n - 1] != '\n'))
		abort();
	return 0;
}
