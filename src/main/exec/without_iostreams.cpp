// Nothing in retry-exec writes to std::cout or the like. Yet in a static executable whoever
// includes <iostream> (Program_options does) starts them before main, all eight with their locales,
// which costs as much as all that a run does with its options. The linker puts these in place of
// that start:
// --wrap in meson.build, ld(1). Streams into strings need no start and work.

extern "C" {
void __wrap__ZNSt8ios_base4InitC1Ev(void*) {}  // NOLINT: std::ios_base::Init::Init()
void __wrap__ZNSt8ios_base4InitD1Ev(void*) {}  // NOLINT: std::ios_base::Init::~Init()
}
