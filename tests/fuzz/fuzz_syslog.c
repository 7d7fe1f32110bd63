/* tests/fuzz/fuzz_syslog.c - lines of syslog, as lines and as a pipe sees them. */
#include "parse_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .name = "syslog", .zone_set = true };
	struct arena arena = ARENA_INIT;
	struct field *f;
	size_t n;

	(void)syslog_fields(str_of(data, size), (struct wall){ 0 }, 0, &arena, &f, &n);
	arena_fini(&arena);
	fuzz_lines(&opt, str_of(data, size));
	return 0;
}
