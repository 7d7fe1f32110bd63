/*
 * tests/fuzz/fuzz_gotmpl.c - any bytes as a template.
 * One job: it is refused with a place, or runs within its bounds.
 */
#include <stdlib.h>

#include "alerts/gotmpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct label labels[] = { { STR("instance"), STR("a.b:80") }, { STR("job"), STR("x") } };
	struct label values[] = { { STR("hits"), STR("12") } };
	const struct gotmpl_data d = { { labels, 2 }, { NULL, 0 }, { values, 1 }, 12.5 };
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT, why = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct gotmpl *t = NULL;
	int r = gotmpl_parse(str_of(data, size), &arena, &t, &why);

	if (r > 0 && why.n == 0)
		abort();
	if (r == 0)
		r = gotmpl_run(t, &d, &out, &why);
	if (r > 0 && (why.n == 0 || out.n != 0))
		abort();
	if (out.n > GOTMPL_OUT_MAX)
		abort();
	arena_fini(&arena);
	return 0;
}
