// The entry point of the executables that only have to link.
int main() {}
