// SPDX-License-Identifier: GPL-2.0
#include <pocket/string.h>

void *memset(void *s, int c, size_t n)
{
	u8 *p = s;

	while (n--)
		*p++ = c;
	return s;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	const u8 *from = src;
	u8 *to = dst;

	while (n--)
		*to++ = *from++;
	return dst;
}
@if string-memmove

void *memmove(void *dst, const void *src, size_t n)
{
	const u8 *from = src;
	u8 *to = dst;

	if (to <= from)
		return memcpy(dst, src, n);
	while (n--)
		to[n] = from[n];
	return dst;
}
@end
@if string-memcmp

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
@end
@if string-memchr

/* The first @c in @n bytes, or NULL. */
const void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++)
		if (*p == (u8)c)
			return p;
	return NULL;
}
@end
@if string-memchr-inv

/* The first byte that is not @c, or NULL. */
const void *memchr_inv(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++)
		if (*p != (u8)c)
			return p;
	return NULL;
}
@end

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}
@if string-strnlen

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}
@end

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}
@if string-strchr

const char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return s;
}
@end
@if string-strrchr

const char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return last;
}
@end
@if string-strstr

const char *strstr(const char *haystack, const char *needle)
{
	size_t n = strlen(needle);

	for (; *haystack; haystack++)
		if (!strncmp(haystack, needle, n))
			return haystack;
	return n ? NULL : haystack;
}
@end
@if string-strspn

/* How much of the start of @s is made of @accept only. */
size_t strspn(const char *s, const char *accept)
{
	size_t n = 0;

	for (; s[n]; n++) {
		const char *a = accept;

		while (*a && *a != s[n])
			a++;
		if (!*a)
			break;
	}
	return n;
}

/* How much of the start of @s has none of @reject. */
size_t strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	for (; s[n]; n++)
		for (const char *r = reject; *r; r++)
			if (*r == s[n])
				return n;
	return n;
}
@end
@if string-strim

/* Cuts blanks at both ends; returns the new start. */
char *strim(char *s)
{
	size_t n = strlen(s);

	while (n && s[n - 1] == ' ')
		s[--n] = 0;
	while (*s == ' ')
		s++;
	return s;
}
@end

/* Copies what fits, and always ends the copy. */
void strscpy(char *dst, const char *src, size_t size)
{
	while (size > 1 && *src) {
		*dst++ = *src++;
		size--;
	}
	if (size)
		*dst = 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Decimal, or hexadecimal after 0x; stops at the first other character. */
u64 simple_strtoul(const char *s)
{
	int base = 10;
	u64 n = 0;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	for (; digit_value(*s) < base; s++)
		n = n * base + digit_value(*s);
	return n;
}
