/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink: the family vmq.
 */
#ifndef _VMQCTL_NL_H
#define _VMQCTL_NL_H

#include <libmnl/libmnl.h>
#include <linux/vmq.h>

#include "attr.h"

#define NL_REQUEST_MAX	16384	/* half of it for a string */

/*
 * A request to the kernel. Attributes are added to nlh with mnl_attr_put_*; the
 * set gives them their names when the kernel objects to one.
 */
struct nl_request {
	struct nlmsghdr *nlh;
	const struct attr_set *set;
	char buf[NL_REQUEST_MAX];
};

/* Called for every message of an answer, with its attributes. */
typedef void (*nl_answer)(const void *attrs, size_t len, void *arg);

void nl_close(void);

int nl_request(struct nl_request *req, uint8_t cmd, const struct attr_set *set,
	       const char *dev);
int nl_put_str(struct nl_request *req, const char *what, uint16_t type,
	       const char *s);
int nl_put_switch(struct nl_request *req, const char *what, uint16_t type,
		  const char *value);

/* What "set" and "add" take: a keyword, and how its value gets into the request. */
struct setting {
	const char *name;
	int (*put)(struct nl_request *req, const char *value);
};

struct args;
struct keyword;

void settings_keywords(const struct setting *settings, size_t n,
		       struct keyword *keywords, const char **values);
int settings_put(struct nl_request *req, const struct setting *settings,
		 size_t n, const char *const *values);

int nl_do(struct nl_request *req, nl_answer answer, void *arg);
int nl_dump(struct nl_request *req, nl_answer answer, void *arg);
int nl_do_quiet(struct nl_request *req, nl_answer answer, void *arg);

int nl_show(struct nl_request *req, bool one);
int nl_show_dev(uint8_t cmd, const struct attr_set *set, struct args *args);
int nl_show_answer(struct nl_request *req);
int nl_do_entries(struct nl_request *req, uint16_t status, const char *what);

/* Called for every event; anything but 0 ends nl_listen, which returns it. */
typedef int (*nl_event)(uint8_t cmd, const void *attrs, size_t len, void *arg);

int nl_listen(nl_event event, void *arg);
void nl_on_event(nl_event event, void *arg);
int nl_receive(void);
int nl_fd(void);
bool nl_lost(void);
void nl_more_room(void);

#endif /* _VMQCTL_NL_H */
