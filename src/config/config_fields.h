#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "io/json.h"

namespace asap::config {

/// Values a numeric field may take: [min, max], or (min, max] when `min_excluded`.
struct FieldRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_excluded = false;
};

inline FieldRange at_least(double min) { return {min}; }
inline FieldRange above(double min) { return {min, std::numeric_limits<double>::infinity(), true}; }
inline FieldRange between(double min, double max) { return {min, max}; }

/// The member of a field.
using FieldReference = std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*,
                                    std::string*, std::vector<int>*, std::vector<std::string>*>;

/// Name, documentation (with unit) and permitted values of one field.
struct FieldInfo {
  const char* name;
  const char* doc;
  FieldRange range;
};

/// Visits the members of a configuration struct. One function makes a struct configurable; it lists
/// the members in order:
///
///   template <class Visitor> void visit(Visitor& v) {
///     v.field("epochs", epochs, "passes over the training set", at_least(1));
///     v.choice("kind", kind, {{"softmax", Kind::softmax}, {"sinkhorn", Kind::sinkhorn}},
///     "attention"); v.group("data", data, "where the examples come from");
///   }
///
/// Reading and writing JSON, assignments (`path.to.key=value`) and the list of fields all follow
/// from it, so that a field is declared in one place.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  template <class T>
  void field(const char* name, T& member, const char* doc, FieldRange range = {}) {
    visit_field({name, doc, range}, FieldReference(&member));
  }

  template <class E>
  void choice(const char* name, E& member, std::initializer_list<std::pair<const char*, E>> choices,
              const char* doc) {
    std::vector<std::string> names;
    std::size_t selected = choices.size();
    for (const auto& [choice_name, value] : choices) {
      if (value == member) selected = names.size();
      names.emplace_back(choice_name);
    }
    base::check(selected < names.size(), "FieldVisitor::choice: the value has no name");
    visit_choice({name, doc, {}}, names, selected);
    member = (choices.begin() + selected)->second;
  }

  template <class C>
  void group(const char* name, C& member, const char* doc = "") {
    if (!enter_group({name, doc, {}})) return;
    member.visit(*this);
    leave_group();
  }

 protected:
  virtual void visit_field(const FieldInfo& info, FieldReference member) = 0;
  /// `selected` indexes `names`; it may be changed.
  virtual void visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                            std::size_t& selected) = 0;
  /// False skips the members of the group, and leave_group is then not called.
  virtual bool enter_group(const FieldInfo& info) = 0;
  virtual void leave_group() = 0;
};

/// One field of a configuration, for listings.
struct FieldDescription {
  std::string path;  ///< "model.attention.iterations"
  std::string type;  ///< "integer", "number", "text", "true or false", "softmax|sinkhorn"
  std::string doc;
  io::Json value;
  bool is_text = false;  ///< takes text, which an assignment need not quote
};

namespace detail {

/// Writes the visited members into a JSON object.
class FieldWriter : public FieldVisitor {
 public:
  io::Json result = io::Json::object();

 protected:
  void visit_field(const FieldInfo& info, FieldReference member) override;
  void visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                    std::size_t& selected) override;
  bool enter_group(const FieldInfo& info) override;
  void leave_group() override;

 private:
  std::vector<io::Json*> open_{&result};
};

/// Lists the visited members.
class FieldLister : public FieldVisitor {
 public:
  std::vector<FieldDescription> fields;

 protected:
  void visit_field(const FieldInfo& info, FieldReference member) override;
  void visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                    std::size_t& selected) override;
  bool enter_group(const FieldInfo& info) override;
  void leave_group() override;

 private:
  std::vector<std::string> prefix_{""};
};

/// Fills the visited members from a JSON object; see from_json.
class FieldReader : public FieldVisitor {
 public:
  FieldReader(const io::Json& root, std::vector<FieldDescription> fields, std::string source);
  /// After the visit: UsageError for keys of the outermost object that no member has.
  void finish();

 protected:
  void visit_field(const FieldInfo& info, FieldReference member) override;
  void visit_choice(const FieldInfo& info, const std::vector<std::string>& names,
                    std::size_t& selected) override;
  bool enter_group(const FieldInfo& info) override;
  void leave_group() override;

 private:
  /// One object on the way down.
  struct Level {
    const io::Json* object;
    std::string prefix;  ///< "" or "model.attention."
    std::vector<std::string> known;
  };
  const io::Json* find(const FieldInfo& info);
  void check_no_unknown_key() const;
  [[noreturn]] void fail_type(const std::string& path, const std::string& expected,
                              const io::Json& got) const;

  std::vector<FieldDescription> fields_;
  std::string source_;
  std::vector<Level> open_;
};

/// JSON, and ".5" and "-.5", which JSON has with a zero before the point only. A discarded value
/// where `text` is neither.
io::Json json_of_text(std::string text);

/// The JSON object with the one field that "path.to.key=value" sets.
io::Json parse_assignment(std::string_view assignment, const std::vector<FieldDescription>& fields);

}  // namespace detail

/// Every field with its path, type, documentation and present value, in declaration order.
template <class C>
std::vector<FieldDescription> list_fields(const C& config) {
  C copy = config;
  detail::FieldLister lister;
  copy.visit(lister);
  return std::move(lister.fields);
}

/// All fields as a JSON object. from_json of it gives the same configuration.
template <class C>
io::Json to_json(const C& config) {
  C copy = config;
  detail::FieldWriter writer;
  copy.visit(writer);
  return std::move(writer.result);
}

/// Overwrites the fields the JSON object names; the others keep their values. UsageError names
/// `source` and the full path: unknown key (with the nearest known one), wrong type (expected and
/// got), value outside its range. On an error `config` is left as it was.
template <class C>
void from_json(const io::Json& json, C& config, const std::string& source) {
  C copy = config;
  detail::FieldReader reader(json, list_fields(config), source);
  copy.visit(reader);
  reader.finish();
  config = std::move(copy);
}

/// Applies one assignment, "path.to.key=value", as the flag --set takes it. The value is JSON; text
/// needs no quotes.
template <class C>
void set_field(C& config, std::string_view assignment) {
  const io::Json patch = detail::parse_assignment(assignment, list_fields(config));
  from_json(patch, config, "--set " + io::excerpt(assignment));
}

/// Checks the ranges of fields that code has filled in. Without a source errors name `field`s only.
template <class C>
void check_field_ranges(const C& config, const std::string& source) {
  C copy = config;
  from_json(to_json(config), copy, source);
}

}  // namespace asap::config
