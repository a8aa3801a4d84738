"""Rules of products and their brands: the main image, which is one of the files, and values in all units."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.record_store import create_record
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.units import convert_to_all_units
from self_hosted.sandbox.atrocore.versions import V2, Version, get_key_field
from self_hosted.sandbox.fake_server import Table

BUGS_SINCE: Version = (1, 2)
NO_ENTITY = (
    "Espo\\Hooks\\Common\\Stream::processRelationEntityNote(): Argument #1 ($entity) must be of type Espo\\ORM\\Entity,"
    " null given"
)
COLUMNS = ("name", "price", "quantity", "status", "isActive", "createdAt", "modifiedAt", "id")


class ProductHooks(Hooks):
    """The rules of products."""

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Relate the main image."""
        if values.get("mainImageId"):
            _relate_main_image(state, record)

    def after_update(self, state: State, record: Record, values: Values) -> None:
        """Relate the main image. Cores 1.x fail after another one was replaced, and keep one that is emptied.

        :raises ApiError: after another main image was replaced, before 2.0
        """
        is_old = BUGS_SINCE <= state.core < V2
        replaced = [one for one in _list_files(state, record) if one["isMainImage"]]
        if values.get("mainImageId"):
            _relate_main_image(state, record)
            if is_old and any(not one["isMainImage"] for one in replaced):
                raise ApiError(500, NO_ENTITY, item_code=0, hidden=True)
        elif is_old and "mainImageId" in values and replaced:
            record["mainImageId"] = replaced[0]["fileId"]

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Add values that have a unit in all units of the measure."""
        for name, field in state.schema.entity("Product").fields.items():
            value, unit_id, measure_id = record.get(name), record.get(f"{name}UnitId"), field.params.get("measureId")
            if field.type == "float" and unit_id and value is not None and f"{name}UnitId" in rendered:
                converted = convert_to_all_units(state, str(measure_id), value, unit_id)
                rendered = {**rendered, f"{name}AllUnits": converted}
        return rendered


class ProductFileHooks(Hooks):
    """The files of products."""

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Make the file the main image."""
        product = state.find_record("Product", record["productId"])
        if product is not None and record.get("isMainImage"):
            product["mainImageId"] = record["fileId"]
            state.index.update("Product", product)

    def after_update(self, state: State, record: Record, values: Values) -> None:
        """Make the file the main image."""
        self.after_create(state, record, values)


class BrandHooks(Hooks):
    """The rules of brands."""

    def before_delete(self, state: State, record: Record) -> None:
        """Check that no product has the brand.

        :raises ApiError: if one does
        """
        products = state.index.find("Product", "brandId", [record["id"]], to_text)
        if any(one.get("brandId") == record["id"] and not one["deleted"] for one in products):
            raise ApiError(400, "Brand(s), which is(are) used in some products, cannot be deleted.")


HOOKS |= {"Product": ProductHooks(), "ProductFile": ProductFileHooks(), "Brand": BrandHooks()}


def build_product_table(state: State) -> Table:
    """Return all products, for the page of the sandbox."""
    columns = (get_key_field(state.core), *COLUMNS)
    products = [product for product in state.records["Product"].values() if not product["deleted"]]
    return [{name: product.get(name) for name in columns} for product in reversed(products)]


def _relate_main_image(state: State, product: Record) -> None:
    file_id = product.get("mainImageId")
    if state.find_record("File", str(file_id)) is None:
        return
    files = _list_files(state, product)
    for one in files:
        one["isMainImage"] = one["fileId"] == file_id
    if not any(one["isMainImage"] for one in files):
        create_record(state, "ProductFile", {"productId": product["id"], "fileId": file_id, "isMainImage": True})


def _list_files(state: State, product: Record) -> list[Record]:
    candidates = state.index.find("ProductFile", "productId", [product["id"]], to_text)
    return [one for one in candidates if one["productId"] == product["id"] and not one["deleted"]]
