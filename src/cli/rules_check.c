/*
 * cli/rules_check.c - weir check, where rules and routing are concerned.
 * One job: every mistake in rule files and alertmanager.yml, and what is accepted there and has no effect.
 * Floor: 6 (uses alerts, config, base).
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "alerts/route.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/rules.h"
#include "cli/rules_files.h"
#include "config/config.h"

enum { FILE_MAX = 4 << 20 };

static int
check_rules(const struct options *opt, const struct str *globs, size_t n)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO(rules_free) struct rule_set *set = NULL;
	int r = rules_load(globs, n, wall_local_offset(opt->now), &set, &errors);

	rules_show(buf_view(&errors));
	if (r == 0)
		rules_show(set->notes);
	if (r < 0)
		return cli_fail(CLI_FAILED, "check: rules: %s", err_str(r));
	return r > 0 ? CLI_USAGE : CLI_DONE;
}

static int
check_routing(const char *path, struct str secrets)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT, notes = BUF_INIT;
	AUTO(routing_free) struct routing *routing = NULL;
	int r = routing_load(path, secrets, &routing, &errors, &notes);

	rules_show(buf_view(&errors));
	rules_show(buf_view(&notes));
	if (r < 0)
		return errors.n > 0 ? CLI_FAILED
		                    : cli_fail(CLI_FAILED, "check: %s: %s", path, err_str(r));
	return r > 0 ? CLI_USAGE : CLI_DONE;
}

static const char *
text_of(struct str s, struct buf *b)
{
	buf_clear(b);
	buf_str(b, s);
	return buf_c_str(b);
}

/* A file that is named and not there is a mistake of the file that names it. */
static int
check_alerting(const char *path, const char *alerting, struct str secrets)
{
	if (access(alerting, F_OK) != 0 && errno == ENOENT)
		return cli_fail(CLI_FAILED, "check: %s: alerting: %s: %s", path, alerting,
		    err_str(-ENOENT));
	return check_routing(alerting, secrets);
}

static int
check_config(const struct options *opt, const char *path)
{
	AUTO(config_free) struct config *config = NULL;
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT, name = BUF_INIT;
	int r, worst;

	r = config_load(path, &config, &errors);
	if (r != 0) {
		rules_show(buf_view(&errors));
		return r < 0 ? CLI_FAILED : CLI_USAGE;
	}
	worst = check_rules(opt, config->rules, config->n_rules);
	if (config->alerting.n > 0) {
		r = check_alerting(path, text_of(config->alerting, &name), config->secrets);
		worst = r > worst ? r : worst;
	}
	return worst;
}

int
rules_check(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const char *path = opt->args[0];
	struct str name = str_c(path);
	int r = io_read_file(AT_FDCWD, path, FILE_MAX, &text);

	if (r < 0)
		return cli_fail(CLI_FAILED, "check: %s: %s", path, err_str(r));
	switch (config_kind(buf_view(&text))) {
	case CONFIG_KIND_RULES:
		return check_rules(opt, &name, 1);
	case CONFIG_KIND_ROUTING:
		return check_routing(path, STR("/etc/weir/secrets"));
	case CONFIG_KIND_OWN:
		return check_config(opt, path);
	}
	return CLI_FAILED;
}
