/* tests/fuzz/fuzz_auto.c - lines of any form, told apart; also "as is", and states that others wrote. */
#include "parse_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .zone_set = true, .keep_line = true };
	struct record_batch b = RECORD_BATCH_INIT;
	struct parser *p = NULL;
	struct wall t;

	fuzz_lines(&opt, str_of(data, size));
	opt.as_is = true;
	FUZZ_MUST(parser_new(&p, &opt, NULL) == 0);
	FUZZ_MUST(parser_load(p, str_of(data, size)) >= 0);
	FUZZ_MUST(parser_line(p, str_of(data, size), (struct wall){ 0 }, &b) == 0);
	FUZZ_MUST(parser_flush(p, (struct wall){ 0 }, true, &b) == 0);
	record_batch_fini(&b);
	(void)parser_free(p);
	(void)parser_time(str_of(data, size), 0, &t);
	return 0;
}
