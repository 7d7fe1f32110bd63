/*
 * cli/helper.h - programs beside weir.
 * One job: go on in a program that has more libraries linked in.
 * Floor: 6 (uses base).
 *
 * weir links neither libsystemd nor what rules need (SQLite, libcurl, libesmtp), which would cost each start more than all its
 * other libraries: weir-journal and weir-rules are weir with them.
 */
#pragma once

/** helper_exec(name, argv): go on as ${name}; returns only when it is not there. */
void helper_exec(const char *name, char **argv);
