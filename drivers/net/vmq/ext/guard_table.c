// SPDX-License-Identifier: GPL-2.0
/*
 * The extension guard: the bindings of a port.
 *
 * A binding is immutable: a renewed lease is another one that takes its place.
 * Prefixes are in the same table as addresses: an address that is not
 * found is looked up again with each length that a prefix of the port has.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <net/ipv6.h>

#include "guard.h"

/* The work looks again after so long at the latest. */
#define GUARD_WORK_MOST		(3600 * HZ)

static u32 guard_hash(const struct guard_key *key)
{
	/* Who may add bindings is trusted, so the hash has no secret. */
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), 0) >>
	       (32 - GUARD_HASH_BITS);
}

static u32 guard_hash_mac(const u8 *mac)
{
	return hash_32(get_unaligned_be32(mac + 2), GUARD_MAC_BITS);
}

/**
 * guard_binding_new() - Makes a binding that is in no table yet.
 * @key: its address
 * @origin: of &enum vmq_guard_origin
 * @mac: its MAC address, NULL for that of the port
 * @gfp: how to allocate
 *
 * Return: the binding, without an end, or NULL
 */
struct guard_binding *guard_binding_new(const struct guard_key *key, u8 origin,
					const u8 *mac, gfp_t gfp)
{
	struct guard_binding *b;

	b = kzalloc(sizeof(*b), gfp | __GFP_ACCOUNT);
	if (!b)
		return NULL;
	b->key = *key;
	b->origin = origin;
	if (mac)
		ether_addr_copy(b->mac, mac);
	b->dead = true;
	refcount_set(&b->refs, 1);
	return b;
}

/**
 * guard_binding_from_rec() - Makes a binding from a record's entry.
 * @rec: the entry, checked
 * @gfp: how to allocate
 *
 * Return: the binding, in no table yet, or NULL
 */
struct guard_binding *
guard_binding_from_rec(const struct vmq_guard_rec_binding *rec, gfp_t gfp)
{
	static const u8 origins[] = {
		[VMQ_GUARD_REC_DHCP4] = VMQ_GUARD_ORIGIN_DHCP4,
		[VMQ_GUARD_REC_DHCP6] = VMQ_GUARD_ORIGIN_DHCP6,
		[VMQ_GUARD_REC_DAD] = VMQ_GUARD_ORIGIN_DAD,
	};
	u64 seconds, lease = le64_to_cpu(rec->lease_ms);
	struct guard_binding *b;
	u32 ms;
	struct guard_key key = {
		.vlan = le16_to_cpu(rec->vlan),
		.family = rec->family == VMQ_GUARD_REC_IPV4 ? AF_INET : AF_INET6,
		.len = rec->prefix_len,
	};

	memcpy(&key.addr, rec->addr, sizeof(key.addr));
	b = guard_binding_new(&key, origins[rec->origin], rec->mac, gfp);
	if (b && lease != VMQ_GUARD_REC_FOREVER) {
		seconds = div_u64_rem(lease, MSEC_PER_SEC, &ms);
		/* rounded up: it ends when the server says so, not before */
		b->expires = get_jiffies_64() + seconds * HZ +
			     msecs_to_jiffies(ms);
	}
	return b;
}

/**
 * guard_binding_put() - Gives up a reference to a binding.
 * @b: the binding, freed after a grace period if that was the last one; or NULL
 */
void guard_binding_put(struct guard_binding *b)
{
	if (b && refcount_dec_and_test(&b->refs))
		kfree_rcu(b, rcu);
}

/**
 * guard_binding_expired() - Is the lease over?
 * @b: the binding
 *
 * Return: whether it is
 */
bool guard_binding_expired(const struct guard_binding *b)
{
	return b->expires && time_after_eq64(get_jiffies_64(), b->expires);
}

/* ---- looking up, under RCU ---- */

/**
 * guard_find() - The binding with a key.
 * @guard: the port
 * @key: the key
 *
 * Context: RCU read side, or &guard_port.lock.
 * Return: the binding, expired or tentative as it may be, or NULL
 */
struct guard_binding *guard_find(const struct guard_port *guard,
				 const struct guard_key *key)
{
	struct guard_binding *b;

	hlist_for_each_entry_rcu(b, &guard->hash[guard_hash(key)], node,
				 lockdep_is_held(&guard->lock))
		if (!memcmp(&b->key, key, sizeof(*key)))
			return b;
	return NULL;
}

static bool guard_key_ok(const struct guard_frame *f,
			 const struct guard_key *key)
{
	const struct guard_binding *b = guard_find(f->guard, key);
	const u8 *mac;

	if (!b)
		return false;
	mac = is_zero_ether_addr(b->mac) ? f->guard->dev->dev_addr : b->mac;
	if (!ether_addr_equal(mac, f->src) || guard_binding_expired(b))
		return false;
	return likely(!b->starts) ||
	       time_after_eq64(get_jiffies_64(), b->starts);
}

/**
 * guard_ip4_ok() - May the sender of a frame have this IPv4 address?
 * @f: the frame
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: whether it may
 */
bool guard_ip4_ok(const struct guard_frame *f, __be32 addr)
{
	struct guard_key key;
	unsigned int len;

	guard_key_ip4(&key, addr, 32, f->vlan);
	if (likely(guard_key_ok(f, &key)))
		return true;
	for_each_set_bit(len, f->guard->lens4, 32) {
		guard_key_ip4(&key, addr & inet_make_mask(len), len, f->vlan);
		if (guard_key_ok(f, &key))
			return true;
	}
	return false;
}

/* fe80:: with the interface identifier of RFC 4291, appendix A */
static bool guard_is_eui64(const struct in6_addr *addr, const u8 *mac)
{
	const u8 *id = &addr->s6_addr[8];

	return addr->s6_addr32[0] == htonl(0xfe800000) && !addr->s6_addr32[1] &&
	       id[0] == (mac[0] ^ 2) && id[1] == mac[1] && id[2] == mac[2] &&
	       id[3] == 0xff && id[4] == 0xfe &&
	       id[5] == mac[3] && id[6] == mac[4] && id[7] == mac[5];
}

/**
 * guard_ip6_ok() - May the sender of a frame have this IPv6 address?
 * @f: the frame
 * @addr: the address
 *
 * Context: RCU read side.
 * Return: whether it may
 */
bool guard_ip6_ok(const struct guard_frame *f, const struct in6_addr *addr)
{
	struct in6_addr prefix;
	struct guard_key key;
	unsigned int len;

	if (ipv6_addr_type(addr) & IPV6_ADDR_LINKLOCAL &&
	    (READ_ONCE(f->guard->link_local) == VMQ_GUARD_LINK_LOCAL_ANY ||
	     guard_is_eui64(addr, f->src)))
		return true;
	guard_key_ip6(&key, addr, 128, f->vlan);
	if (likely(guard_key_ok(f, &key)))
		return true;
	for_each_set_bit(len, f->guard->lens6, 128) {
		ipv6_addr_prefix(&prefix, addr, len);
		guard_key_ip6(&key, &prefix, len, f->vlan);
		if (guard_key_ok(f, &key))
			return true;
	}
	return false;
}

/**
 * guard_mac_ok() - May the guest send from a MAC address besides that of the port?
 * @guard: the port
 * @mac: the MAC address
 * @vlan: VLAN id of the frame
 *
 * Context: RCU read side.
 * Return: whether a static binding has it
 */
bool guard_mac_ok(const struct guard_port *guard, const u8 *mac, u16 vlan)
{
	const struct guard_binding *b;

	hlist_for_each_entry_rcu(b, &guard->macs[guard_hash_mac(mac)], mac_node)
		if (ether_addr_equal(b->mac, mac) && b->key.vlan == vlan)
			return true;
	return false;
}

/* ---- changing, under the lock ---- */

static void guard_count_len(struct guard_port *guard,
			    const struct guard_key *key, int change)
{
	unsigned long *lens;
	u16 *n;

	if (key->family == AF_INET && key->len < 32) {
		lens = guard->lens4;
		n = &guard->n_lens4[key->len];
	} else if (key->family == AF_INET6 && key->len < 128) {
		lens = guard->lens6;
		n = &guard->n_lens6[key->len];
	} else {
		return;
	}
	*n += change;
	assign_bit(key->len, lens, *n);
}

static void guard_count_binding(struct guard_port *guard,
				const struct guard_binding *b, int change)
{
	if (b->origin == VMQ_GUARD_ORIGIN_DAD)
		WRITE_ONCE(guard->n_dad, guard->n_dad + change);
	else
		WRITE_ONCE(guard->n, guard->n + change);
}

/**
 * guard_insert() - Puts a binding into the tables.
 * @guard: the port
 * @b: the binding, in none; its reference becomes that of the tables
 *
 * Frames find it before one of the same key that is still there.
 *
 * Context: &guard_port.lock.
 */
void guard_insert(struct guard_port *guard, struct guard_binding *b)
{
	lockdep_assert_held(&guard->lock);
	b->dead = false;
	b->id = guard->next_id++;
	list_add_tail(&b->list, &guard->bindings);
	/* the length is looked up before what it leads to */
	guard_count_len(guard, &b->key, 1);
	guard_count_binding(guard, b, 1);
	hlist_add_head_rcu(&b->node, &guard->hash[guard_hash(&b->key)]);
	if (b->origin == VMQ_GUARD_ORIGIN_STATIC && !is_zero_ether_addr(b->mac))
		hlist_add_head_rcu(&b->mac_node,
				   &guard->macs[guard_hash_mac(b->mac)]);
	if (b->expires)
		guard_expire_at(guard, b->expires);
}

/**
 * guard_remove() - Takes a binding out of the tables.
 * @guard: the port
 * @b: the binding; the tables' reference becomes the caller's
 *
 * Context: &guard_port.lock.
 */
void guard_remove(struct guard_port *guard, struct guard_binding *b)
{
	lockdep_assert_held(&guard->lock);
	b->dead = true;
	hlist_del_rcu(&b->node);
	if (b->origin == VMQ_GUARD_ORIGIN_STATIC && !is_zero_ether_addr(b->mac))
		hlist_del_rcu(&b->mac_node);
	list_del(&b->list);
	guard_count_len(guard, &b->key, -1);
	guard_count_binding(guard, b, -1);
}

/* Makes room for a link-local address: the one that was learned first goes. */
static struct guard_binding *guard_dad_evict(struct guard_port *guard)
{
	struct guard_binding *b;

	list_for_each_entry(b, &guard->bindings, list) {
		if (b->origin != VMQ_GUARD_ORIGIN_DAD)
			continue;
		guard_remove(guard, b);
		return b;
	}
	return NULL;
}

/**
 * guard_learn() - Puts a binding that was learned into the tables.
 * @guard: the port
 * @b: the binding, in none; its reference becomes that of the tables, unless
 *	there is an error
 * @old: the learned binding that it took the place of, or that had to go for the
 *	room, with the tables' reference; or NULL
 *
 * Context: &guard_port.lock.
 * Return: 0, -EEXIST if a static binding has the address, or -ENOSPC
 */
int guard_learn(struct guard_port *guard, struct guard_binding *b,
		struct guard_binding **old)
{
	struct guard_binding *other = guard_find(guard, &b->key);

	*old = NULL;
	if (other && other->origin == VMQ_GUARD_ORIGIN_STATIC)
		return -EEXIST;
	if (!other) {
		if (b->origin == VMQ_GUARD_ORIGIN_DAD) {
			if (guard->n_dad >= GUARD_DAD_MAX)
				*old = guard_dad_evict(guard);
		} else if (guard->n >= guard->max) {
			return -ENOSPC;
		}
	}
	guard_insert(guard, b);
	if (other) {
		guard_remove(guard, other);
		*old = other;
	}
	return 0;
}

/* ---- expiry ---- */

/**
 * guard_expire_at() - Has expired bindings removed at some time.
 * @guard: the port
 * @when: jiffies64
 *
 * Frames do not wait for that; it is for the memory and the limit.
 *
 * Context: &guard_port.lock.
 */
void guard_expire_at(struct guard_port *guard, u64 when)
{
	u64 now = get_jiffies_64();
	u64 due = max(when, now);

	if (guard->due && guard->due <= due)
		return;
	guard->due = due;
	mod_delayed_work(system_power_efficient_wq, &guard->work,
			 min_t(u64, due - now, GUARD_WORK_MOST));
}

/**
 * guard_expire_work() - Removes the bindings whose lease is over.
 * @work: &guard_port.work
 */
void guard_expire_work(struct work_struct *work)
{
	struct guard_port *guard = container_of(to_delayed_work(work),
						struct guard_port, work);
	struct guard_binding *b, *tmp;
	u64 next = 0;

	spin_lock_bh(&guard->lock);
	guard->due = 0;
	list_for_each_entry_safe(b, tmp, &guard->bindings, list) {
		if (guard_binding_expired(b)) {
			guard_remove(guard, b);
			guard_binding_put(b);
		} else if (b->expires && (!next || b->expires < next)) {
			next = b->expires;
		}
	}
	if (next)
		guard_expire_at(guard, next);
	spin_unlock_bh(&guard->lock);
}

/**
 * guard_flush_all() - Removes all bindings, as the port goes.
 * @guard: the port, not reached by frames any more
 */
void guard_flush_all(struct guard_port *guard)
{
	struct guard_binding *b, *tmp;

	spin_lock_bh(&guard->lock);
	list_for_each_entry_safe(b, tmp, &guard->bindings, list) {
		guard_remove(guard, b);
		guard_binding_put(b);
	}
	spin_unlock_bh(&guard->lock);
}
