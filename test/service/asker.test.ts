import { describe, expect, it } from "vitest";
import { fit } from "../../src/models/registry.js";
import { queryOf } from "../../src/service/asker.js";
import { fixture } from "../support/fixture.js";

describe("who asks", () => {
  it("tells a guest, a newcomer, a known user and an unseen user with a history apart", async () => {
    const data = fixture();
    const model = await fit("popularity", data);
    const [known, item] = [data.users.idOf(3), data.items.idOf(5)];
    expect(await queryOf(model, {})).toEqual({});
    expect(await queryOf(model, { user: "never seen" })).toEqual({ newcomer: true });
    expect(await queryOf(model, { user: known })).toEqual({ userIndex: 3 });
    expect(await queryOf(model, { user: "never seen", history: [{ itemId: item, weight: 2 }] })).toEqual({
      history: [{ itemIndex: 5, weight: 2 }],
    });
  });
});
