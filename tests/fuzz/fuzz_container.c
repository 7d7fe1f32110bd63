/* tests/fuzz/fuzz_container.c - wrapped lines, and traces in them. */
#include "parse_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .name = "auto", .zone_set = true };
	static const char *const kinds[] = { NULL, "java", "python", "go" };

	opt.multiline = size != 0 ? kinds[data[0] % 4] : NULL;
	fuzz_lines(&opt, str_of(data, size));
	return 0;
}
