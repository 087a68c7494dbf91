#pragma once

/// The parts of every written file that do not depend on the network: the files in runtime/, with
/// NAME in place of the prefix of public names.
namespace asap::c_source::runtime {

extern const char* const kAttention;
extern const char* const kEncoderTypes;
extern const char* const kEncoder;
extern const char* const kImages;
extern const char* const kTexts;
extern const char* const kPoints;
extern const char* const kSequences;
extern const char* const kOperator;

}  // namespace asap::c_source::runtime
