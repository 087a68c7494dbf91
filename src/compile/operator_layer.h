#pragma once

#include <string>
#include <vector>

#include "attention/operators/compiled_operator.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace asap::compile {

/// What the heads of one layer of an operator artefact are, and with it the shapes of its tensors.
struct OperatorLayer {
  std::size_t index = 0;  ///< of the layer
  attention::CompiledMode mode = attention::CompiledMode::row_dual;
  attention::DualFeatures features = attention::DualFeatures::none();
  attention::ProductPrecision precision = attention::ProductPrecision::single;
  int iterations = 0;              ///< K of mode sinkhorn
  std::int64_t slices = 0;         ///< L; 0 where no feature uses them
  std::int64_t heads = 0;          ///< H
  std::int64_t width = 0;          ///< D
  int teacher_iterations = 1;      ///< T
  std::int64_t column_errors = 0;  ///< examples behind them; 0: not measured
  bool bounds = false;             ///< whether there are bounds of as many column errors
  bool start_errors = false;       ///< whether the largest errors of the loop's start are known
  bool slack = false;              ///< whether the heads have slack
};

/// The layer that these heads make up; InternalError if they differ.
OperatorLayer describe_layer(std::size_t index, const std::vector<attention::CompiledHead>& heads,
                             std::int64_t width);

/// {"features", "precision", "slices"} of a map, {"iterations"} of a loop; "slack" and
/// "start_errors" where there are any.
io::Json layer_json(const OperatorLayer& layer);
/// Fills mode, features, precision, slices and iterations from such a description. `mode` is that
/// of maps. DataError names `source` and the field.
void read_layer_json(const io::Json& json, attention::CompiledMode mode, const std::string& source,
                     OperatorLayer& layer);

/// Adds the tensors of a layer, "layers.<i>...."
void put_layer(const OperatorLayer& layer, const std::vector<attention::CompiledHead>& heads,
               io::TensorFile& file);
/// The heads of a layer. DataError names file and tensor when one is missing, of another shape or
/// not finite.
std::vector<attention::CompiledHead> get_layer(const OperatorLayer& layer,
                                               const io::TensorFile& file);

/// A required field of operator.json; DataError names `source` and the field.
template <class T>
T require_field(const io::Json& json, const char* key, const std::string& source);
/// A required count from `least` to 2^20.
std::int64_t require_extent(const io::Json& json, const char* key, std::int64_t least,
                            const std::string& source);

}  // namespace asap::compile
