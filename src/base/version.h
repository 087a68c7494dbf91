#pragma once

#include <string>

namespace asap::base {

/// Version of the toolkit, "0.1.0".
std::string version();

/// Short git commit the build was configured at, or "" when the sources were not a git checkout.
std::string source_commit();

/// Compiler and build type, "GNU 12.2.0, Release".
std::string build_description();

}  // namespace asap::base
