#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle/trained_model.h"
#include "predict/examples.h"
#include "predict/faults.h"

namespace asap::predict {

/// How the lines of a text file are read; `automatic`: by the name of the file.
enum class TextFormat { automatic, lines, csv, tsv, jsonl };

/// How an image of another size than the network's becomes one of its size.
enum class Resize { none, stretch, crop };

struct InputConfig {
  TextFormat format = TextFormat::automatic;
  std::vector<std::string> text_columns = {};    ///< empty: those of the training
  std::optional<std::string> label_column = {};  ///< "none": the file has no labels
  std::optional<bool> header = {};               ///< whether the first line names the columns
  Resize resize = Resize::none;
  int threads = 1;  ///< that decode images and split texts
};

/// Reads the examples of an input, some at a time.
class InputReader {
 public:
  virtual ~InputReader() = default;

  /// Appends the next `most` examples, or fewer at the end; false when none is left. Inputs that
  /// cannot be read go to `faults`, so fewer may be appended although some are left.
  virtual bool read(std::int64_t most, Examples& out, Faults& faults) = 0;
  /// Inputs, faulty ones included.
  virtual std::int64_t total() const = 0;
  /// Whether the input can have labels.
  virtual bool has_labels() const = 0;
  /// Files of a folder that are not read: "3 (2 .webp, 1 folder)"; empty: none.
  virtual std::string skipped() const { return ""; }
};

/// The reader of a file or folder, by the kind of the network:
///   texts   .csv, .tsv, .jsonl, .ndjson, .json, also with .gz; other files hold one text a line
///   images  a PNG or JPEG file; a folder of them and of folders, whose names are labels where they
///           are classes; an IDX file [count, height, width], whose labels lie beside it
///           (*images-idx3-ubyte, *labels-idx1-ubyte)
///   points  NPY [sets, points, width] or [points, width], labels beside it (*_points.npy,
///           *_labels.npy); CSV as parse_unlabelled_points; .bin as parse_modelnet; a folder of
///           NPY files, each one set; where the network labels points, labels are arrays [sets,
///           points], -1 for points without one
/// DataError names the file when it cannot be read.
std::unique_ptr<InputReader> open_input(const std::filesystem::path& path,
                                        const bundle::TrainedModel& model,
                                        const InputConfig& config);

/// Examples that are in memory already.
class StoredReader final : public InputReader {
 public:
  StoredReader(Examples all, bool has_labels) : all_(std::move(all)), has_labels_(has_labels) {}
  bool read(std::int64_t most, Examples& out, Faults& faults) override;
  std::int64_t total() const override { return all_.size(); }
  bool has_labels() const override { return has_labels_; }

 private:
  Examples all_;
  bool has_labels_;
  std::int64_t next_ = 0;
};

}  // namespace asap::predict
