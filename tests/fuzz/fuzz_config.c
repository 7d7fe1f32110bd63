/*
 * tests/fuzz/fuzz_config.c - any bytes as weir.yaml.
 * One job: a configuration comes out, or at least one line that says why not.
 */
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO(config_free) struct config *c = NULL;
	int r = config_parse("x.yaml", str_of(data, size), &c, &errors);

	if (r == 0 && (c == NULL || c->n_inputs == 0))
		abort();
	if (r > 0 && (errors.n == 0 || errors.p[errors.n - 1] != '\n'))
		abort();
	return 0;
}
