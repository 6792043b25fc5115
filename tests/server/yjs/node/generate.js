// Writes what the reference implementation says about our formats, so that tests need no Node.
// Client ids are fixed; running it again gives the same bytes.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as auth from 'y-protocols/auth'
import * as awareness from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'
import * as Y from 'yjs'

const hex = (bytes) => Buffer.from(bytes).toString('hex')

const encoded = (write) => {
  const encoder = encoding.createEncoder()
  write(encoder)
  return hex(encoding.toUint8Array(encoder))
}

const doc = (clientID, options = {}) => {
  const made = new Y.Doc(options)
  made.clientID = clientID
  return made
}

const state = (updates) => {
  const all = new Y.Doc()
  for (const update of updates) Y.applyUpdate(all, update)
  return Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(all)))
}

// One editing session: what `edit` does to documents, as the updates that they emit.
const session = (name, edit) => {
  const updates = []
  edit((made) => {
    made.on('update', (update) => updates.push(update))
    return made
  })
  return { name, updates: updates.map(hex), state: state(updates) }
}

const sessions = [
  session('typing', (watch) => {
    const text = watch(doc(1)).getText('text')
    text.insert(0, 'hello')
    text.insert(5, ' world')
    text.insert(5, ',')
    text.delete(0, 2)
  }),
  session('characters beyond the basic plane', (watch) => {
    const text = watch(doc(1)).getText('text')
    text.insert(0, 'naïve 日本 😀👩‍👩‍👧')
    text.delete(0, 3)
    text.insert(text.length, 'é')
  }),
  session('formats', (watch) => {
    const text = watch(doc(1)).getText('text')
    text.insert(0, 'one two three', { g: '0:0:3', bold: true })
    text.format(4, 3, { hl: { colour: 'red', by: [1, null, 'x'] } })
    text.format(0, 7, { bold: null })
    text.applyDelta([{ retain: 3 }, { insert: '\n', attributes: { t: 'turn-1' } }, { delete: 2 }])
  }),
  session('maps', (watch) => {
    const made = watch(doc(1))
    const map = made.getMap('speakers')
    map.set('a', 'Ada')
    map.set('a', { name: 'Ada', colour: '#123456', seen: [1, 2.5, -3, 1e100, true, null] })
    map.set('b', 7)
    map.delete('b')
    map.set('big', 123456789012345n)
    map.set('none', undefined)
  }),
  session('arrays', (watch) => {
    const list = watch(doc(1)).getArray('list')
    list.push([1, 'two', { three: [4] }])
    list.insert(1, [false, null])
    list.delete(0, 2)
  }),
  session('nested types', (watch) => {
    const made = watch(doc(1))
    const inner = new Y.Map()
    made.getMap('comments').set('c1', inner)
    const body = new Y.Text('words')
    inner.set('body', body)
    inner.set('replies', new Y.Array())
    inner.get('replies').push([new Y.Map(), 'x'])
    body.insert(5, '!')
    made.getMap('comments').delete('c1')
  }),
  session('undo and redo', (watch) => {
    const made = watch(doc(1))
    const text = made.getText('text')
    const undo = new Y.UndoManager(text, { captureTimeout: 0 })
    text.insert(0, 'abc')
    text.delete(1, 1)
    text.format(0, 2, { bold: true })
    undo.undo()
    undo.undo()
    undo.redo()
    undo.undo()
    undo.undo()
  }),
  session('two writers', (watch) => {
    const one = watch(doc(1))
    const two = watch(doc(2))
    one.getText('text').insert(0, 'shared')
    Y.applyUpdate(two, Y.encodeStateAsUpdate(one))
    two.getText('text').insert(3, 'XYZ')
    one.getText('text').delete(1, 4)
    Y.applyUpdate(one, Y.encodeStateAsUpdate(two))
    one.getText('text').insert(4, 'end')
    two.getMap('meta').set('title', 'two')
  })
]

// Whole documents, as a client sends them when it joins.
const crowd = () => {
  const docs = [1, 20, 300, 4_000_000_000].map((client) => doc(client))
  for (let round = 0; round < 3; round++) {
    for (const [index, made] of docs.entries()) {
      const text = made.getText('text')
      text.insert((index * 7) % (text.length + 1), `r${round}c${index} `, { c: index })
      if (text.length > 8) text.delete(2, 3)
      made.getMap('turns').set(`t${index % 2}`, `s${round}`)
    }
    for (const from of docs) for (const to of docs) Y.applyUpdate(to, Y.encodeStateAsUpdate(from))
  }
  return docs[0]
}

const collected = () => {
  const made = doc(1)
  const list = made.getArray('list')
  list.push([new Y.Map()])
  list.get(0).set('gone', new Y.Text('gone with its parent'))
  list.push(['stays'])
  list.delete(0)
  return made
}

const uncollected = () => {
  const made = doc(1, { gc: false })
  made.getText('text').insert(0, 'kept although deleted')
  made.getText('text').delete(4, 9)
  return made
}

const whole = (name, made) => ({
  name,
  update: hex(Y.encodeStateAsUpdate(made)),
  state: Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(made))),
  state_vector: hex(Y.encodeStateVector(made))
})

// Updates merged without the ones between them: the gap is written down as a skip.
const skipping = () => {
  const updates = []
  const made = doc(1)
  made.on('update', (update) => updates.push(update))
  const text = made.getText('text')
  for (const letter of 'abcdefgh') text.insert(0, letter)
  return hex(Y.mergeUpdates([updates[0], updates[1], updates[4], updates[6]]))
}

const forbidden = (kind, edit) => {
  const made = doc(1)
  edit(made)
  return { kind, update: hex(Y.encodeStateAsUpdate(made)) }
}

const legacy = () => {
  const encoder = new Y.UpdateEncoderV1()
  encoding.writeVarUint(encoder.restEncoder, 1)
  encoding.writeVarUint(encoder.restEncoder, 1)
  encoder.writeClient(1)
  encoding.writeVarUint(encoder.restEncoder, 0)
  encoder.writeInfo(2)
  encoder.writeParentInfo(true)
  encoder.writeString('list')
  new Y.ContentJSON([undefined, { a: 1 }]).write(encoder, 0)
  encoding.writeVarUint(encoder.restEncoder, 0)
  return { kind: 'json', update: hex(encoder.toUint8Array()) }
}

const messages = () => {
  const made = doc(1)
  made.getText('text').insert(0, 'hello')
  const framed = (protocol, write) =>
    encoded((encoder) => {
      encoding.writeVarUint(encoder, protocol)
      write(encoder)
    })
  return {
    state_vector: hex(Y.encodeStateVector(made)),
    update: hex(Y.encodeStateAsUpdate(made)),
    sync_step_1: framed(0, (encoder) => sync.writeSyncStep1(encoder, made)),
    sync_step_2: framed(0, (encoder) => sync.writeSyncStep2(encoder, made)),
    sync_update: framed(0, (encoder) => sync.writeUpdate(encoder, Y.encodeStateAsUpdate(made))),
    awareness: framed(1, (encoder) => encoding.writeVarUint8Array(encoder, new Uint8Array([0]))),
    query_awareness: framed(3, () => {}),
    permission_denied: framed(2, (encoder) => auth.writePermissionDenied(encoder, 'viewers only'))
  }
}

const presence = () => {
  const shared = new awareness.Awareness(doc(7))
  const updates = []
  shared.on('update', ({ added, updated, removed }) =>
    updates.push(
      hex(awareness.encodeAwarenessUpdate(shared, [...added, ...updated, ...removed]))
    )
  )
  shared.setLocalState({ user: { name: 'Zoë', colour: '#fff' }, cursor: null })
  shared.setLocalStateField('cursor', { anchor: 3, head: 4 })
  shared.setLocalState(null)
  shared.destroy()
  return updates
}

// A client that is told that its own state is gone insists on it.
const revival = () => {
  const one = new awareness.Awareness(doc(7))
  one.setLocalState({ a: 1 })
  const encode = () => awareness.encodeAwarenessUpdate(one, [7])
  const before = encode()
  const told = encoded((encoder) => {
    for (const number of [1, 7, 2]) encoding.writeVarUint(encoder, number)
    encoding.writeVarString(encoder, 'null')
  })
  let after = new Uint8Array()
  one.on('update', () => {
    after = encode()
  })
  awareness.applyAwarenessUpdate(one, Buffer.from(told, 'hex'), 'server')
  return { before: hex(before), told, after: hex(after) }
}

const numbers = [0, 1, 63, 64, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]
const values = [
  undefined, null, 0, -1, 63, -64, 2 ** 31 - 1, 2 ** 40, 1.5, 0.1, -(2n ** 62n), true, false, '',
  'ünïcode 😀', { a: [1, { b: null }], '': 'x' }, [[], {}, [[]]], new Uint8Array([1, 2, 3])
]

const fixtures = {
  sessions,
  documents: [
    whole('crowd', crowd()),
    whole('collected', collected()),
    whole('uncollected', uncollected()),
    whole('empty', doc(1))
  ],
  skipping: skipping(),
  forbidden: [
    forbidden('embed', (made) => made.getText('text').insertEmbed(0, { image: 'x' })),
    forbidden('binary', (made) => made.getArray('list').push([new Uint8Array([1, 2])])),
    forbidden('subdocument', (made) => made.getMap('docs').set('d', new Y.Doc({ guid: 'd' }))),
    forbidden('xml element', (made) => made.getArray('list').push([new Y.XmlElement('p')])),
    forbidden('xml fragment', (made) => made.getArray('list').push([new Y.XmlFragment()])),
    forbidden('xml hook', (made) => made.getArray('list').push([new Y.XmlHook('h')])),
    forbidden('xml text', (made) => made.getXmlFragment('xml').insert(0, [new Y.XmlText('p')])),
    legacy()
  ],
  messages: messages(),
  presence: presence(),
  revival: revival(),
  varuints: numbers.map((value) => [
    value,
    encoded((encoder) => encoding.writeVarUint(encoder, value))
  ]),
  varints: numbers.flatMap((value) => [value, -value || 0]).map((value) => [
    value,
    encoded((encoder) => encoding.writeVarInt(encoder, value))
  ]),
  texts: ['', 'a', 'ünïcode 😀', 'x'.repeat(200)].map((value) => [
    value,
    encoded((encoder) => encoding.writeVarString(encoder, value))
  ]),
  values: values.map((value) => encoded((encoder) => encoding.writeAny(encoder, value)))
}

console.log(JSON.stringify(fixtures, null, 1))
process.exit(0)
