// SPDX-License-Identifier: GPL-2.0
#include <pocket/string.h>

struct sink {
	char *buf;
	size_t size, len;
};

static void put(struct sink *sink, char c)
{
	if (sink->len + 1 < sink->size)
		sink->buf[sink->len] = c;
	sink->len++;
}

static void put_padded(struct sink *sink, const char *s, int width, bool left, char pad)
{
	int n = strlen(s);

	if (pad == '0' && *s == '-') {
		put(sink, *s++);
		width--;
		n--;
	}
	for (; !left && width > n; width--)
		put(sink, pad);
	while (*s)
		put(sink, *s++);
	for (; left && width > n; width--)
		put(sink, ' ');
}

static const char *format_number(char *end, u64 value, u32 base, bool negative)
{
	*--end = 0;
	do {
		*--end = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		*--end = '-';
	return end;
}

/* %[-][0][width][l](d|u|x|s|c|p|%) */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct sink sink = { buf, size, 0 };

	for (; *fmt; fmt++) {
		bool left = false, wide = false;
		char pad = ' ', digits[24];
		int width = 0;
		u64 value;
		s64 number;

		if (*fmt != '%') {
			put(&sink, *fmt);
			continue;
		}
		fmt++;
		for (; *fmt == '-' || *fmt == '0'; fmt++) {
			if (*fmt == '-')
				left = true;
			else
				pad = '0';
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		for (; *fmt == 'l'; fmt++)
			wide = true;
		switch (*fmt) {
		case 'd':
			number = wide ? __builtin_va_arg(args, s64) : __builtin_va_arg(args, int);
			value = number < 0 ? -(u64)number : (u64)number;
			put_padded(&sink, format_number(digits + 24, value, 10, number < 0), width,
				   left, pad);
			break;
		case 'u':
		case 'x':
			value = wide ? __builtin_va_arg(args, u64) : __builtin_va_arg(args, u32);
			put_padded(&sink,
				   format_number(digits + 24, value, *fmt == 'x' ? 16 : 10, false),
				   width, left, pad);
			break;
		case 'p':
			value = (u64)__builtin_va_arg(args, void *);
			put_padded(&sink, format_number(digits + 24, value, 16, false), 16, false, '0');
			break;
		case 's':
			put_padded(&sink, __builtin_va_arg(args, const char *), width, left, ' ');
			break;
		case 'c':
			put(&sink, __builtin_va_arg(args, int));
			break;
		case '%':
			put(&sink, '%');
			break;
		default:
			put(&sink, '?');
			break;
		}
	}
	if (size)
		buf[sink.len < size ? sink.len : size - 1] = 0;
	return sink.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	__builtin_va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	__builtin_va_end(args);
	return n;
}
