#define NUMBER 1
void record(int number, const char *where);
