#include <stddef.h>

// A function of the C library that Glibc's module leaves out.
void *memmem(const void *haystack, size_t haystacklen, const void *needle, size_t needlelen);
