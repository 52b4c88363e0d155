/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POCKET_STRING_H
#define POCKET_STRING_H

#include <pocket/types.h>

void *memset(void *s, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
void strscpy(char *dst, const char *src, size_t size);
u64 simple_strtoul(const char *s);
@if string-memcmp
int memcmp(const void *a, const void *b, size_t n);
@end
@if string-memmove
void *memmove(void *dst, const void *src, size_t n);
@end
@if string-memchr
const void *memchr(const void *s, int c, size_t n);
@end
@if string-strchr
const char *strchr(const char *s, int c);
@end
@if string-strrchr
const char *strrchr(const char *s, int c);
@end
@if string-strstr
const char *strstr(const char *haystack, const char *needle);
@end
@if string-strnlen
size_t strnlen(const char *s, size_t max);
@end
@if string-strspn
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);
@end
@if string-memchr-inv
const void *memchr_inv(const void *s, int c, size_t n);
@end
@if string-strim
char *strim(char *s);
@end

typedef __builtin_va_list va_list;
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
__printf(3, 4) int snprintf(char *buf, size_t size, const char *fmt, ...);

#endif
