#pragma once

#include <string>
#include <vector>

namespace asap::c_source {

/// Names and comments of a written file.
struct SourceDescription {
  std::string name;                ///< begins the names of what the file defines: NAME_forward
  std::vector<std::string> lines;  ///< of the comment at its top: what it was made from
};

/// The parts of a written file. In all but `tables`, NAME_ and MACRO_ become the name.
struct FileParts {
  std::string usage;         ///< in the comment at the top: how to call it
  std::string declarations;  ///< constants, macros and functions for the caller
  std::string types;         ///< what the tables need
  std::string tables;        ///< written as they are
  std::string code;          ///< what reads the tables
};

/// The whole file: comment, declarations, code; the code only where NAME_DECLARATIONS_ONLY is not
/// defined. UsageError when `name` is no name in C.
std::string c_file(const SourceDescription& description, const FileParts& parts);

}  // namespace asap::c_source
