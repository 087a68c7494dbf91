#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "bundle/trained_model.h"
#include "io/safetensors.h"

namespace asap::bundle {

/// A bundle is one safetensors file (https://github.com/huggingface/safetensors):
///   model.NAME     the weights, under the names they have in the checkpoint
///   operator.NAME  the tensors of the compiled operator, if there is one
///   tokenizer      U8 [bytes]: the tokenizer's file, for texts whose tokenizer has one
///   __metadata__   texts, most of them JSON:
///     format             "asap-bundle"
///     version            "1"
///     config             config.json of the run, without the places of files
///     class_names        ["T-shirt/top", ...], one per output
///     model_fingerprint  of the checkpoint's model.safetensors, for which operators are compiled
///     operator           operator.json
///     cascade            of an operator, if wanted: {"method", "limit", "margin", "share",
///                        "examples", "disagreements", "missed"}, see StoredCascade
///     text_codec         codec.json of the run: labels, columns and how texts become token ids
///     content            fingerprint of all tensors
inline constexpr const char* kBundleFormat = "asap-bundle";
inline constexpr int kBundleVersion = 1;

/// Identifies the names, types, shapes and bytes of all tensors: what `content` holds.
std::string content_fingerprint_of(const io::TensorFile& file);

/// The bytes of the bundle of a run and, unless `compiled` is empty, of an operator folder, with
/// which there may be a cascade. Equal content gives equal bytes. DataError as load_run.
std::string make_bundle(const std::filesystem::path& run, const std::filesystem::path& compiled,
                        const std::optional<StoredCascade>& cascade = std::nullopt);

/// Whether these are the bytes of a bundle, perhaps a damaged one or of another version.
bool is_bundle(std::string_view bytes);

/// Reads a bundle. Nothing in it is trusted: DataError names `source` and what is missing, damaged,
/// of an unknown version, or does not fit the rest.
TrainedModel parse_bundle(std::string_view bytes, const std::string& source);

/// The weights in a bundle alone. DataError as parse_bundle.
io::TensorFile parse_weights(std::string_view bytes, const std::string& source);

}  // namespace asap::bundle
