#include "base/version.h"

// The build system defines ASAP_VERSION, ASAP_COMMIT, ASAP_COMPILER and ASAP_BUILD_TYPE for this
// file only, so that a new commit recompiles one file.

namespace asap::base {

std::string version() { return ASAP_VERSION; }

std::string source_commit() { return ASAP_COMMIT; }

std::string build_description() { return ASAP_COMPILER ", " ASAP_BUILD_TYPE; }

}  // namespace asap::base
