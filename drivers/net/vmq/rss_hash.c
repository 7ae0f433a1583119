// SPDX-License-Identifier: GPL-2.0
/*
 * The hash of receive side scaling: Toeplitz over selected header fields. The
 * kernel has no helper for it that is not some driver's own. Pure functions.
 */
#include <linux/bitops.h>
#include <linux/in.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "rss.h"

/* The 32 bits of the key from bit @bit on, counted from the left. */
static u32 vmq_rss_window(const u8 *key, unsigned int bit)
{
	const u8 *at = key + bit / 8;
	u64 bits = get_unaligned_be32(at);

	/* the last window ends where the key does */
	bits = bits << 8 | (bit % 8 ? at[4] : 0);
	return bits >> (8 - bit % 8);
}

/**
 * vmq_rss_hash_key() - sets the key of a hash
 * @hash: the hash
 * @key: the key, VMQ_RSS_KEY_LEN bytes
 *
 * Toeplitz adds (by XOR) one window of the key for each bit of the input that is
 * set. The sums over four bits are made here, so that a frame needs two table
 * look-ups for each byte.
 *
 * Context: Any.
 */
void vmq_rss_hash_key(struct vmq_rss_hash *hash, const u8 *key)
{
	unsigned int pos, value, bit;
	u32 sum;

	if (key != hash->key)
		memcpy(hash->key, key, VMQ_RSS_KEY_LEN);
	for (pos = 0; pos < ARRAY_SIZE(hash->part); pos++) {
		for (value = 0; value < 16; value++) {
			sum = 0;
			for (bit = 0; bit < 4; bit++)
				if (value & (8 >> bit))
					sum ^= vmq_rss_window(key,
							      4 * pos + bit);
			hash->part[pos][value] = sum;
		}
	}
}

/**
 * vmq_rss_hash_defaults() - hashes all fields that a frame has
 * @hash: the hash
 *
 * Context: Any.
 */
void vmq_rss_hash_defaults(struct vmq_rss_hash *hash)
{
	memset(hash->fields, VMQ_RSS_ADDRS | VMQ_RSS_PORTS,
	       sizeof(hash->fields));
	hash->fields[VMQ_RSS_IP4] = VMQ_RSS_ADDRS;
	hash->fields[VMQ_RSS_IP6] = VMQ_RSS_ADDRS;
}

/**
 * vmq_rss_toeplitz() - the hash of some bytes
 * @hash: the hash
 * @input: the bytes
 * @len: how many, at most VMQ_RSS_INPUT
 *
 * Context: Any.
 * Return: the hash.
 */
u32 vmq_rss_toeplitz(const struct vmq_rss_hash *hash, const u8 *input,
		     unsigned int len)
{
	unsigned int i;
	u32 sum = 0;

	for (i = 0; i < len; i++)
		sum ^= hash->part[2 * i][input[i] >> 4] ^
		       hash->part[2 * i + 1][input[i] & 0xf];
	return sum;
}

/**
 * vmq_rss_type() - what a frame is to the hash
 * @key: its header fields
 *
 * A fragment has no ports: all fragments of a datagram go one way.
 *
 * Context: Any.
 * Return: the type, or VMQ_RSS_NO_TYPE where it is not an IP packet.
 */
enum vmq_rss_type vmq_rss_type(const struct vmq_key *key)
{
	enum vmq_rss_type base;

	if (key->l3 == 4)
		base = VMQ_RSS_IP4;
	else if (key->l3 == 6)
		base = VMQ_RSS_IP6;
	else
		return VMQ_RSS_NO_TYPE;
	if (!key->l4)
		return base;
	switch (key->proto) {
	case IPPROTO_TCP:
		return base + VMQ_RSS_TCP4;
	case IPPROTO_UDP:
		return base + VMQ_RSS_UDP4;
	case IPPROTO_SCTP:
		return base + VMQ_RSS_SCTP4;
	}
	return base;
}

/**
 * vmq_rss_hash() - the hash of a frame
 * @hash: the hash
 * @key: the frame's header fields
 * @out: the hash
 *
 * The input is source address, destination address, source port and destination
 * port, those of them that are selected.
 *
 * Context: Any.
 * Return: false where there is no hash: not an IP packet, or no field of its type
 * is selected (V-39).
 */
bool vmq_rss_hash(const struct vmq_rss_hash *hash, const struct vmq_key *key,
		  u32 *out)
{
	unsigned int addr = key->l3 == 4 ? 4 : 16;
	enum vmq_rss_type type = vmq_rss_type(key);
	u8 input[VMQ_RSS_INPUT];
	unsigned int len = 0;
	u8 fields;

	if (type == VMQ_RSS_NO_TYPE || !hash->fields[type])
		return false;
	fields = hash->fields[type];
	if (fields & VMQ_RSS_SRC) {
		memcpy(input, key->saddr, addr);
		len = addr;
	}
	if (fields & VMQ_RSS_DST) {
		memcpy(input + len, key->daddr, addr);
		len += addr;
	}
	if (fields & VMQ_RSS_SPORT) {
		memcpy(input + len, &key->sport, sizeof(key->sport));
		len += sizeof(key->sport);
	}
	if (fields & VMQ_RSS_DPORT) {
		memcpy(input + len, &key->dport, sizeof(key->dport));
		len += sizeof(key->dport);
	}
	*out = vmq_rss_toeplitz(hash, input, len);
	return true;
}
